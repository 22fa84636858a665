//! Tables, partitions and their columns.

use super::*;
use crate::postgres::model::{Column, Constraint, ForeignOption};
use crate::postgres::quote::{ident, literal};

impl<'a> Writer<'a> {
    /// The table without what rows could break. A partition is made alone, with all its columns, and attached later:
    /// that keeps the order of its columns and defaults of its own.
    pub(super) fn table(&mut self, object: &'a Object, relation: &'a Relation) -> String {
        let name = names::qualified(object);
        let unlogged = if relation.unlogged { "UNLOGGED " } else { "" };
        let mut lines: Vec<String> = Vec::new();
        let mut later: Vec<String> = Vec::new();
        for column in &relation.columns {
            let not_null = self.not_null(relation, column);
            if !(column.local || relation.is_partition) {
                match column.not_null.as_ref().and_then(|known| known.oid) {
                    Some(_) => lines.extend(inherited_not_null(column, not_null)),
                    None => later.extend(set_not_null(&name, column, not_null)),
                }
                continue;
            }
            lines.extend(self.column(object, relation, column, &not_null.unwrap_or_default()));
        }
        for (position, check) in self.checks_of(object.address) {
            if self.is_inline(position) && (check.local || relation.is_partition) {
                let constraint = &self.catalog.objects[position];
                let text = check.text.as_deref().unwrap_or_default();
                lines.push(format!("CONSTRAINT {} {text}", ident(&constraint.name)));
            }
        }
        let mut sql = match relation.kind {
            RelationKind::Foreign => format!("CREATE FOREIGN TABLE {name}"),
            _ => format!("CREATE {unlogged}TABLE {name}"),
        };
        let of_type = relation.of_type.as_ref();
        if let Some(of_type) = of_type {
            sql.push_str(&format!(" OF {of_type}"));
        }
        if !lines.is_empty() {
            sql.push_str(&format!(" (\n    {}\n)", lines.join(",\n    ")));
        } else if of_type.is_none() {
            sql.push_str(" (\n)");
        }
        if !relation.parent_names.is_empty() && !relation.is_partition {
            sql.push_str(&format!(
                "\nINHERITS ({})",
                relation.parent_names.join(", ")
            ));
        }
        if let Some(key) = &relation.partition_key {
            sql.push_str(&format!("\nPARTITION BY {key}"));
        }
        if let Some(server) = &relation.server {
            sql.push_str(&format!("\nSERVER {}", ident(server)));
            sql.push_str(&foreign_options("\n", &relation.server_options));
        } else {
            sql.push_str(&storage(relation));
        }
        sql.push(';');
        for statement in later {
            sql.push_str(&format!("\n{statement}"));
        }
        sql
    }

    /// One line of CREATE TABLE; none for a column of a table `OF` a type that has nothing to say.
    fn column(
        &self,
        object: &Object,
        relation: &Relation,
        column: &Column,
        not_null: &str,
    ) -> Option<String> {
        let mut line = ident(&column.name);
        let mut said = false;
        if relation.of_type.is_some() {
            line.push_str(" WITH OPTIONS");
        } else {
            line.push_str(&format!(" {}", column.type_name));
            if relation.kind == RelationKind::Foreign {
                line.push_str(&foreign_options(" ", &column.server_options));
            }
            if let Some(collation) = &column.collation {
                line.push_str(&format!(" COLLATE {collation}"));
            }
            said = true;
        }
        if let Some(expression) = self.inline_default(object, relation, column) {
            let expression = match column.generated.as_str() {
                "s" => format!(" GENERATED ALWAYS AS ({expression}) STORED"),
                "v" => format!(" GENERATED ALWAYS AS ({expression})"),
                _ => format!(" DEFAULT {expression}"),
            };
            line.push_str(&expression);
            said = true;
        }
        if !not_null.is_empty() {
            line.push_str(&format!(" {not_null}"));
            said = true;
        }
        said.then_some(line)
    }

    fn inline_default<'c>(
        &self,
        object: &Object,
        relation: &Relation,
        column: &'c Column,
    ) -> Option<&'c str> {
        let position = *self.positions.get(&object.address)?;
        let number = relation
            .columns
            .iter()
            .position(|each| each.number == column.number)?;
        if !self.inline.contains(&(position, Part::Default(number)))
            || self.inherits_generation(relation, column)
        {
            return None;
        }
        column.default.as_ref()?.expression.as_deref()
    }

    /// Whether a column is generated as its parent's is: a child may not even repeat that before 16.
    fn inherits_generation(&self, relation: &Relation, column: &Column) -> bool {
        let expression = |column: &Column| Some(column.default.as_ref()?.expression.clone());
        let same = |&oid: &u32| match self
            .at(Address(Class::Relation, oid))
            .map(|parent| &parent.definition)
        {
            Some(Definition::Relation(parent)) => parent.columns.iter().any(|each| {
                each.name == column.name
                    && !each.generated.is_empty()
                    && expression(each) == expression(column)
            }),
            _ => false,
        };
        !column.generated.is_empty() && !relation.is_partition && relation.parents.iter().any(same)
    }

    /// How the column refuses NULL, if the table is to say so itself.
    fn not_null(&self, relation: &Relation, column: &Column) -> Option<String> {
        let not_null = column.not_null.as_ref().filter(|not_null| not_null.valid)?;
        // Before 18 nobody knows who said it: a parent that says it is enough. Since then a child may have proved what
        // its parent has not; that is its own word, too.
        let parents = self.parents_not_null(relation, &column.name);
        let local = match not_null.local {
            Some(local) => local || (!parents.is_empty() && !parents.contains(&true)),
            None => parents.is_empty(),
        };
        if !local && !relation.is_partition {
            return None;
        }
        let name = not_null
            .name
            .as_ref()
            .map(|name| format!("CONSTRAINT {} ", ident(name)))
            .unwrap_or_default();
        let inherit = if not_null.no_inherit {
            " NO INHERIT"
        } else {
            ""
        };
        Some(format!("{name}NOT NULL{inherit}"))
    }

    /// The NOT NULLs of the parents' columns of that name: whether each is valid.
    fn parents_not_null(&self, relation: &Relation, column: &str) -> Vec<bool> {
        let not_null = |&oid: &u32| match &self.at(Address(Class::Relation, oid))?.definition {
            Definition::Relation(parent) => {
                let same = parent.columns.iter().find(|each| each.name == column)?;
                same.not_null.as_ref().map(|not_null| not_null.valid)
            }
            _ => None,
        };
        relation.parents.iter().filter_map(not_null).collect()
    }

    /// The CHECK constraints of a table or domain, by name, with their positions.
    pub(super) fn checks_of(&self, parent: Address) -> Vec<(usize, &'a Constraint)> {
        self.checks
            .get(&parent)
            .into_iter()
            .flatten()
            .filter_map(
                |&position| match &self.catalog.objects[position].definition {
                    Definition::Constraint(constraint) => Some((position, constraint)),
                    _ => None,
                },
            )
            .collect()
    }

    /// A default that isn't part of its table's statement: of a view, of an inherited column, or to break a loop.
    pub(super) fn separate_default(
        &self,
        object: &Object,
        relation: &Relation,
        number: usize,
    ) -> String {
        let column = &relation.columns[number];
        // What a generated column inherits is its parent's; there is no statement to set it.
        if !column.generated.is_empty() {
            return String::new();
        }
        let Some(expression) = column
            .default
            .as_ref()
            .and_then(|default| default.expression.as_deref())
        else {
            return String::new();
        };
        let word = match relation.kind {
            RelationKind::Foreign => "FOREIGN TABLE ONLY",
            RelationKind::View => "VIEW",
            _ => "TABLE ONLY",
        };
        let name = names::qualified(object);
        format!(
            "ALTER {word} {name} ALTER COLUMN {} SET DEFAULT {expression};",
            ident(&column.name)
        )
    }

    pub(super) fn attach_partition(&self, object: &Object, relation: &Relation) -> String {
        let (Some(parent), Some(bound)) = (relation.parent_names.first(), &relation.bound) else {
            return String::new();
        };
        format!(
            "ALTER TABLE ONLY {parent} ATTACH PARTITION {} {bound};",
            names::qualified(object)
        )
    }

    /// A child that lacks the default of its parent says so: it would inherit it otherwise.
    pub(super) fn absent_defaults(
        &self,
        object: &Object,
        relation: &Relation,
    ) -> Vec<(String, String)> {
        if relation.is_partition || relation.kind == RelationKind::View {
            return Vec::new();
        }
        relation
            .columns
            .iter()
            .filter(|column| {
                column.default.is_none()
                    && column.generated.is_empty()
                    && column.identity.is_empty()
            })
            .filter(|column| {
                relation.parents.iter().any(|&oid| {
                    let Some(parent) = self.at(Address(Class::Relation, oid)) else {
                        return false;
                    };
                    let Definition::Relation(parent) = &parent.definition else {
                        return false;
                    };
                    parent.columns.iter().any(|each| {
                        each.name == column.name
                            && each.default.is_some()
                            && each.generated.is_empty()
                    })
                })
            })
            .map(|column| {
                let sql = format!(
                    "ALTER TABLE ONLY {} ALTER COLUMN {} SET DEFAULT NULL;",
                    names::qualified(object),
                    ident(&column.name)
                );
                (format!("{}.{}", object.name, column.name), sql)
            })
            .collect()
    }
}

/// A NOT NULL of a column that isn't written here. Within its table's statement, a child's may have another name than
/// its parent's; afterwards it couldn't.
fn inherited_not_null(column: &Column, not_null: Option<String>) -> Option<String> {
    let not_null = not_null?;
    let (before, after) = not_null.rsplit_once("NOT NULL")?;
    Some(format!("{before}NOT NULL {}{after}", ident(&column.name)))
}

/// … as it was before 18, without a name.
fn set_not_null(table: &str, column: &Column, not_null: Option<String>) -> Option<String> {
    not_null?;
    let name = ident(&column.name);
    Some(format!(
        "ALTER TABLE ONLY {table} ALTER COLUMN {name} SET NOT NULL;"
    ))
}

/// `USING`, `WITH` of a table or materialized view.
pub(super) fn storage(relation: &Relation) -> String {
    let mut sql = String::new();
    if let Some(method) = relation
        .access_method
        .as_ref()
        .filter(|method| *method != "heap" || relation.kind == RelationKind::Partitioned)
    {
        sql.push_str(&format!("\nUSING {}", ident(method)));
    }
    let mut options = quote::options(&relation.options, "");
    options.extend(quote::options(&relation.toast_options, "toast."));
    if !options.is_empty() {
        sql.push_str(&format!("\nWITH ({})", options.join(", ")));
    }
    sql
}

/// `OPTIONS (…)` of a foreign object, after `before`.
pub(super) fn foreign_options(before: &str, options: &[ForeignOption]) -> String {
    if options.is_empty() {
        return String::new();
    }
    let list: Vec<_> = options
        .iter()
        .map(|option| format!("{} {}", ident(&option.name), literal(&option.value)))
        .collect();
    format!("{before}OPTIONS ({})", list.join(", "))
}

/// What a table's statement can't say. Statements of their own, so that one the target refuses (a compression or
/// tablespace it doesn't have) doesn't cost the table.
pub(super) fn settings(object: &Object, relation: &Relation) -> Vec<(String, String)> {
    let name = names::qualified(object);
    let word = names::relation_word(relation);
    let only = if matches!(
        relation.kind,
        RelationKind::Table | RelationKind::Partitioned
    ) {
        " ONLY"
    } else {
        ""
    };
    let mut settings = Vec::new();
    for column in &relation.columns {
        let mut set = |what: String| {
            let sql = format!(
                "ALTER {word}{only} {name} ALTER COLUMN {} {what};",
                ident(&column.name)
            );
            settings.push((format!("{}.{}", object.name, column.name), sql));
        };
        if let Some(target) = column.statistics {
            set(format!("SET STATISTICS {target}"));
        }
        let storage = column.storage.as_deref().and_then(|storage| match storage {
            "p" => Some("PLAIN"),
            "e" => Some("EXTERNAL"),
            "m" => Some("MAIN"),
            "x" => Some("EXTENDED"),
            _ => None,
        });
        if let Some(storage) = storage.filter(|_| relation.kind != RelationKind::View) {
            set(format!("SET STORAGE {storage}"));
        }
        match column.compression.as_str() {
            "p" => set("SET COMPRESSION pglz".to_owned()),
            "l" => set("SET COMPRESSION lz4".to_owned()),
            _ => {}
        }
        if !column.options.is_empty() {
            set(format!(
                "SET ({})",
                quote::options(&column.options, "").join(", ")
            ));
        }
        if relation.kind == RelationKind::Foreign
            && !column.local
            && !column.server_options.is_empty()
        {
            set(foreign_options("", &column.server_options));
        }
    }
    if let Some(tablespace) = &relation.tablespace {
        settings.push((
            object.name.clone(),
            format!("ALTER {word} {name} SET TABLESPACE {};", ident(tablespace)),
        ));
    }
    let identity = match relation.replica_identity.as_str() {
        "f" => Some("FULL"),
        "n" => Some("NOTHING"),
        _ => None,
    };
    if let (
        Some(identity),
        RelationKind::Table | RelationKind::Partitioned | RelationKind::MaterializedView,
    ) = (identity, relation.kind)
    {
        settings.push((
            object.name.clone(),
            format!("ALTER {word}{only} {name} REPLICA IDENTITY {identity};"),
        ));
    }
    settings
}

/// Row security is switched on after the data: it would forbid COPY to some.
pub(super) fn row_security(object: &Object, relation: &Relation) -> String {
    let name = names::qualified(object);
    let mut sql = Vec::new();
    if relation.row_security {
        sql.push(format!("ALTER TABLE {name} ENABLE ROW LEVEL SECURITY;"));
    }
    if relation.force_row_security {
        sql.push(format!("ALTER TABLE ONLY {name} FORCE ROW LEVEL SECURITY;"));
    }
    sql.join("\n")
}

/// The columns that COPY is to write.
pub(super) fn data_columns(relation: &Relation) -> Vec<String> {
    with_data(relation)
        .map(|column| ident(&column.name))
        .collect()
}

/// The positions of those of type `bytea`.
pub(super) fn bytea_columns(relation: &Relation) -> Vec<usize> {
    (with_data(relation).enumerate())
        .filter(|(_, column)| column.type_name == "bytea")
        .map(|(position, _)| position)
        .collect()
}

fn with_data(relation: &Relation) -> impl Iterator<Item = &Column> {
    (relation.columns.iter()).filter(|column| column.generated.is_empty())
}
