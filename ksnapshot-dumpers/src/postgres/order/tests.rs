use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::postgres::model::Object;
use crate::postgres::version::ServerVersion;

fn object(class: Class, oid: u32, name: &str, definition: serde_json::Value) -> Object {
    Object {
        address: Address(class, oid),
        schema: Some("s".to_owned()),
        name: name.to_owned(),
        owner: None,
        access: None,
        comment: None,
        labels: Vec::new(),
        goes_with: Vec::new(),
        definition: serde_json::from_value(definition).expect("a definition"),
    }
}

fn relation(oid: u32, name: &str, kind: &str, columns: serde_json::Value) -> Object {
    let view = kind == "v" || kind == "m";
    let definition = json!({"relation": {
        "kind": kind, "unlogged": false, "readable": true, "is_partition": false, "parents": [], "parent_names": [],
        "partition_key": null, "bound": null, "options": [], "toast_options": [], "access_method": "heap",
        "tablespace": null, "replica_identity": "d", "row_security": false, "force_row_security": false,
        "of_type": null, "populated": kind == "m", "pages": 0, "toast_pages": 0,
        "query": view.then_some("SELECT 1;"), "rule": view.then_some(oid + 1000), "server": null,
        "columns": columns
    }});
    object(Class::Relation, oid, name, definition)
}

fn column(name: &str, default: Option<u32>) -> serde_json::Value {
    json!([{
        "number": 1, "name": name, "type": "integer", "collation": null, "not_null": null,
        "default": default.map(|oid| json!({"oid": oid, "expression": "s.f()"})), "generated": "", "identity": "",
        "local": true, "storage": null, "compression": "", "statistics": null, "options": [], "server_options": [],
        "access": null
    }])
}

fn function(oid: u32, name: &str) -> Object {
    let definition =
        json!({"routine": {"kind": "f", "arguments": "", "text": "CREATE", "parsed_body": true}});
    object(Class::Routine, oid, name, definition)
}

fn key(oid: u32, table: u32) -> Object {
    let definition = json!({"constraint": {
        "parent": [Class::Relation as u32, table], "kind": "p", "text": "PRIMARY KEY (a)", "valid": true,
        "local": true, "deferrable": false, "deferred": false, "index": null, "period": false
    }});
    object(Class::Constraint, oid, "key", definition)
}

fn catalog(objects: Vec<Object>, mut edges: Vec<(Address, Address)>) -> Catalog {
    edges.sort();
    Catalog {
        version: ServerVersion(150_000),
        objects,
        edges,
        properties: crate::postgres::model::Properties::default(),
        large_objects: Vec::new(),
        default_privileges: Vec::new(),
        problems: Vec::new(),
        data_only: false,
        globals: None,
        planner: Vec::new(),
    }
}

/// The steps that are written, as `stage kind name`.
fn titles(catalog: &Catalog) -> Vec<String> {
    let (steps, problems) = order(catalog);
    assert_eq!(problems, []);
    for (position, step) in steps.iter().enumerate() {
        assert!(
            step.depends.iter().all(|&need| need < position),
            "everything comes after what it needs"
        );
        assert!(
            step.depends
                .iter()
                .all(|&need| steps[need].stage <= step.stage)
        );
    }
    let written = steps.iter().filter(|step| !step.inline);
    written
        .map(|step| {
            let object = &catalog.objects[step.object];
            let stage = if step.stage == Stage::PostData {
                "post"
            } else {
                "pre"
            };
            format!("{stage} {:?} {}", step.part, object.name)
        })
        .collect()
}

/// A view over a view that groups by a primary key, a materialized view of the same sort, a function over the row
/// type of a table whose default it is.
fn knot() -> Catalog {
    let relation_at = |oid| Address(Class::Relation, oid);
    let rule_at = |oid: u32| Address(Class::Rule, oid + 1000);
    catalog(
        vec![
            relation(1, "t", "r", column("a", Some(500))),
            relation(2, "v", "v", column("a", None)),
            relation(3, "over", "v", column("a", None)),
            relation(4, "mat", "m", column("a", None)),
            function(5, "f"),
            key(6, 1),
        ],
        vec![
            (rule_at(2), relation_at(1)),
            (rule_at(2), Address(Class::Constraint, 6)),
            (rule_at(3), relation_at(2)),
            (rule_at(4), relation_at(3)),
            (rule_at(4), Address(Class::Constraint, 6)),
            (
                Address(Class::ColumnDefault, 500),
                Address(Class::Routine, 5),
            ),
            (Address(Class::ColumnDefault, 500), relation_at(1)),
            (Address(Class::Routine, 5), relation_at(1)),
        ],
    )
}

#[test]
fn loops_are_parted_where_the_text_can_be() {
    assert_eq!(
        titles(&knot()),
        [
            "pre Whole t",
            "pre Whole f",
            "pre DummyView v",
            "pre Whole over",
            "post Whole key",
            "post Default(0) t",
            "post Whole mat",
            "post Whole v",
            "post Refresh mat",
        ]
    );
}

#[test]
fn a_plain_default_stays_in_its_table() {
    let table = relation(1, "t", "r", column("a", Some(500)));
    let edges = vec![
        (
            Address(Class::ColumnDefault, 500),
            Address(Class::Routine, 5),
        ),
        (
            Address(Class::ColumnDefault, 500),
            Address(Class::Relation, 1),
        ),
    ];
    assert_eq!(
        titles(&catalog(vec![table, function(5, "f")], edges)),
        ["pre Whole f", "pre Whole t"]
    );
}

proptest! {
    /// Two servers give the same objects other oids and another order; the script must not show it.
    #[test]
    fn the_order_does_not_depend_on_the_order_of_reading(
        order in Just((0..6_usize).collect::<Vec<_>>()).prop_shuffle()
    ) {
        let knot = knot();
        let mut other = knot.clone();
        other.objects = order.iter().map(|&position| knot.objects[position].clone()).collect();
        prop_assert_eq!(titles(&other), titles(&knot));
    }
}
