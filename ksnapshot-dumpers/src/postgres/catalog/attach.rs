//! Comments and security labels: read in one go, put where they belong.

use std::collections::HashMap;

use ksnapshot_core::{Problem, Result};
use serde::Deserialize;

use super::{Reader, positions, unsupported_problem};
use crate::postgres::model::{Address, Class, Definition, Label, LargeObjects, Object};

/// The oid of `pg_largeobject`, which labels and comments of large objects go by.
const LARGE_OBJECT: u32 = 2613;

#[derive(Deserialize)]
struct Comment {
    class: u32,
    oid: u32,
    column: i32,
    text: String,
}

/// Puts every comment on its object or column.
pub(super) async fn comments(
    reader: &mut Reader<'_>,
    objects: &mut [Object],
    problems: &mut Vec<Problem>,
) -> Result<()> {
    let rows: Vec<Comment> = reader
        .rows(
            "comments",
            "SELECT d.classoid::int8 AS class, d.objoid::int8 AS oid, d.objsubid AS \"column\", d.description AS text
             FROM pg_description d
             WHERE (d.objoid >= 16384 OR d.classoid = 'pg_namespace'::regclass)
               AND d.classoid <> 'pg_largeobject'::regclass
             ORDER BY 1, 2, 3",
        )
        .await?;
    let positions = positions(objects);
    // Not-null constraints before 18 have no entry; since then they stand at their column. A row type's columns stand
    // in its hidden relation.
    let mut elsewhere: HashMap<Address, (usize, i32)> = HashMap::new();
    for (position, object) in objects.iter().enumerate() {
        match &object.definition {
            Definition::Composite(composite) => {
                elsewhere.insert(Address(Class::Relation, composite.relation), (position, -1));
            }
            Definition::Relation(relation) => {
                for column in &relation.columns {
                    if let Some(oid) = column.not_null.as_ref().and_then(|not_null| not_null.oid) {
                        elsewhere
                            .insert(Address(Class::Constraint, oid), (position, column.number));
                    }
                }
            }
            Definition::Domain(domain) => {
                if let Some(oid) = domain.not_null_oid {
                    elsewhere.insert(Address(Class::Constraint, oid), (position, 0));
                }
            }
            _ => {}
        }
    }
    for Comment {
        class,
        oid,
        column,
        text,
    } in rows
    {
        let Some(class) = Class::from_oid(class) else {
            continue;
        };
        let address = Address(class, oid);
        if let Some(&position) = positions.get(&address) {
            place(&mut objects[position], column, text, problems);
        } else if let Some(&(position, number)) = elsewhere.get(&address) {
            place_elsewhere(&mut objects[position], number, column, text);
        }
    }
    Ok(())
}

fn place(object: &mut Object, number: i32, text: String, problems: &mut Vec<Problem>) {
    if number == 0 {
        object.comment = Some(text);
        return;
    }
    match &mut object.definition {
        Definition::Relation(relation) => {
            if let Some(column) = relation
                .columns
                .iter_mut()
                .find(|column| column.number == number)
            {
                column.comment = Some(text);
            }
        }
        _ => problems.push(unsupported_problem(
            format!("comment on column {number} of {}", object.title()),
            "comments on columns of this kind of object are not dumped",
        )),
    }
}

fn place_elsewhere(object: &mut Object, number: i32, column: i32, text: String) {
    match &mut object.definition {
        Definition::Composite(composite) => {
            if let Some(attribute) = composite
                .columns
                .iter_mut()
                .find(|attribute| attribute.number == column)
            {
                attribute.comment = Some(text);
            }
        }
        Definition::Relation(relation) => {
            let found = relation
                .columns
                .iter_mut()
                .find(|column| column.number == number);
            if let Some(not_null) = found.and_then(|column| column.not_null.as_mut()) {
                not_null.comment = Some(text);
            }
        }
        Definition::Domain(domain) => domain.not_null_comment = Some(text),
        _ => {}
    }
}

/// Puts every security label on its object.
pub(super) async fn labels(
    reader: &mut Reader<'_>,
    objects: &mut [Object],
    large_objects: &mut [LargeObjects],
) -> Result<()> {
    #[derive(Deserialize)]
    struct Row {
        class: u32,
        oid: u32,
        column: i32,
        provider: String,
        label: String,
    }
    let rows: Vec<Row> = reader
        .rows(
            "security labels",
            "SELECT s.classoid::int8 AS class, s.objoid::int8 AS oid, s.objsubid AS \"column\", s.provider, s.label
             FROM pg_seclabel s
             UNION ALL
             SELECT s.classoid::int8, s.objoid::int8, 0, s.provider, s.label
             FROM pg_shseclabel s
             WHERE s.classoid = 'pg_subscription'::regclass
             ORDER BY 1, 2, 3, 4",
        )
        .await?;
    let positions = positions(objects);
    for Row {
        class,
        oid,
        column,
        provider,
        label,
    } in rows
    {
        let label = Label {
            column,
            provider,
            label,
        };
        if class == LARGE_OBJECT {
            if let Some(group) = LargeObjects::with(large_objects, oid) {
                group.labels.push((oid, label));
            }
            continue;
        }
        let Some(class) = Class::from_oid(class) else {
            continue;
        };
        if let Some(&position) = positions.get(&Address(class, oid)) {
            objects[position].labels.push(label);
        }
    }
    Ok(())
}

/// `ALTER … DEPENDS ON EXTENSION`.
pub(super) async fn extensions(reader: &mut Reader<'_>, objects: &mut [Object]) -> Result<()> {
    #[derive(Deserialize)]
    struct Row {
        class: u32,
        oid: u32,
        name: String,
    }
    let rows: Vec<Row> = reader
        .rows(
            "dependencies on extensions",
            "SELECT d.classid::int8 AS class, d.objid::int8 AS oid, e.extname AS name
             FROM pg_depend d
             JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
             WHERE d.deptype = 'x'
             ORDER BY 1, 2, 3",
        )
        .await?;
    let positions = positions(objects);
    for Row { class, oid, name } in rows {
        let Some(class) = Class::from_oid(class) else {
            continue;
        };
        if let Some(&position) = positions.get(&Address(class, oid)) {
            objects[position].goes_with.push(name);
        }
    }
    Ok(())
}
