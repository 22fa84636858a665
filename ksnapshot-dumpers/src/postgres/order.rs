//! The order of restoring: every step after what it needs, ties broken by names, loops broken where the text can be
//! parted. A pure function of the catalog.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap, HashSet};

use ksnapshot_core::{Problem, ProblemKind, Stage};

use super::model::{Address, Catalog, Class, Definition, RelationKind};

mod graph;
mod repair;
#[cfg(test)]
mod tests;

use graph::Graph;

/// One statement or a few that belong together, of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// Position among the catalog's objects.
    pub(crate) object: usize,
    /// Which part of the object.
    pub(crate) part: Part,
    /// Before or after the data.
    pub(crate) stage: Stage,
    /// Written within the statement of the table or domain it belongs to.
    pub(crate) inline: bool,
    /// Earlier steps that it needs, by position.
    pub(crate) depends: Vec<usize>,
    /// Of a refresh: every object that it reads, directly or through views, by position in the catalog.
    pub(crate) reads: Vec<usize>,
}

/// A part of an object that has a step of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Part {
    /// The object itself.
    Whole,
    /// The announcement of a type, for the functions that it is made of.
    ShellType,
    /// A stand-in with the view's columns, until its query can be.
    DummyView,
    /// The default of the column at this position.
    Default(usize),
    /// Tying a sequence to its column.
    OwnedBy,
    /// Attaching a partition, of a table or an index.
    Attach,
    /// Switching row security on.
    RowSecurity,
    /// Filling a materialized view.
    Refresh,
}

/// The steps in order, and the loops that could not be broken without a loss.
pub(crate) fn order(catalog: &Catalog) -> (Vec<Step>, Vec<Problem>) {
    let mut graph = Graph::new(catalog);
    graph.announce_types();
    let mut problems = graph.postpone();
    let sorted = loop {
        match sort(&graph) {
            Ok(sorted) => break sorted,
            Err(stuck) => problems.extend(graph.break_loop(&stuck)),
        }
    };
    let mut place = vec![0; graph.nodes.len()];
    for (position, &node) in sorted.iter().enumerate() {
        place[node] = position;
    }
    let steps = sorted
        .iter()
        .map(|&number| {
            let node = &graph.nodes[number];
            let mut depends: Vec<usize> = graph.needs[number]
                .iter()
                .map(|&need| place[need])
                .collect();
            depends.sort_unstable();
            Step {
                object: node.object,
                part: node.part,
                stage: if node.post {
                    Stage::PostData
                } else {
                    Stage::PreData
                },
                inline: node.inline,
                depends,
                reads: if node.part == Part::Refresh {
                    graph.reads(node.object)
                } else {
                    Vec::new()
                },
            }
        })
        .collect();
    (steps, problems)
}

/// A topological sort that always takes the first by name of what is ready. `Err` holds what waits for itself.
fn sort(graph: &Graph<'_>) -> Result<Vec<usize>, Vec<usize>> {
    let mut by_key: Vec<usize> = (0..graph.nodes.len()).collect();
    by_key.sort_by_cached_key(|&node| key(graph, node));
    let mut rank = vec![0; by_key.len()];
    for (position, &node) in by_key.iter().enumerate() {
        rank[node] = position;
    }
    let mut waiting: Vec<usize> = graph.needs.iter().map(BTreeSet::len).collect();
    let mut wanted_by = vec![Vec::new(); graph.nodes.len()];
    for (node, needs) in graph.needs.iter().enumerate() {
        for &need in needs {
            wanted_by[need].push(node);
        }
    }
    let mut ready: BinaryHeap<Reverse<usize>> = (0..graph.nodes.len())
        .filter(|&node| waiting[node] == 0)
        .map(|node| Reverse(rank[node]))
        .collect();
    let mut sorted = Vec::with_capacity(graph.nodes.len());
    while let Some(Reverse(first)) = ready.pop() {
        let node = by_key[first];
        sorted.push(node);
        for &next in &wanted_by[node] {
            waiting[next] -= 1;
            if waiting[next] == 0 {
                ready.push(Reverse(rank[next]));
            }
        }
    }
    if sorted.len() == graph.nodes.len() {
        return Ok(sorted);
    }
    Err(by_key
        .into_iter()
        .filter(|&node| waiting[node] > 0)
        .collect())
}

type Key<'a> = (bool, u8, &'a str, &'a str, String, Part, u32);

/// Stage, then kind, then names; the oid only where names are equal.
fn key<'a>(graph: &Graph<'a>, number: usize) -> Key<'a> {
    let node = &graph.nodes[number];
    let object = &graph.catalog.objects[node.object];
    let parent = object
        .parent()
        .and_then(|parent| graph.positions.get(&parent))
        .map_or("", |&position| {
            graph.catalog.objects[position].name.as_str()
        });
    let within = if parent.is_empty() || matches!(object.definition, Definition::Sequence(_)) {
        object.name.as_str()
    } else {
        parent
    };
    (
        node.post,
        priority(&object.definition, object.address.0, node.part, node.post),
        object.schema.as_deref().unwrap_or(""),
        within,
        object.full_name(),
        node.part,
        object.address.1,
    )
}

/// Kinds in the order in which they tend to need each other; only a tie-break, needs come first.
fn priority(definition: &Definition, class: Class, part: Part, post: bool) -> u8 {
    match part {
        Part::OwnedBy => return 31,
        Part::Attach => return if post { 42 } else { 32 },
        Part::Default(_) => return if post { 40 } else { 33 },
        Part::RowSecurity => return 47,
        Part::Refresh => return 90,
        Part::ShellType => return 5,
        Part::Whole | Part::DummyView => {}
    }
    match definition {
        Definition::Schema(_) => 0,
        Definition::Language(_) => 1,
        Definition::Collation(_) => 2,
        Definition::Extension(_) => 3,
        Definition::Enum(_)
        | Definition::Composite(_)
        | Definition::Domain(_)
        | Definition::Range(_)
        | Definition::BaseType(_)
        | Definition::ShellType(_) => 6,
        Definition::Cast(_) => 7,
        Definition::Routine(_) => 8,
        Definition::Aggregate(_) => 9,
        Definition::Operator(_) => 10,
        Definition::Conversion(_) => 11,
        Definition::TextSearch(_) => match class {
            Class::TextSearchParser => 12,
            Class::TextSearchTemplate => 13,
            Class::TextSearchDictionary => 14,
            _ => 15,
        },
        Definition::ForeignDataWrapper(_) => 16,
        Definition::ForeignServer(_) => 17,
        Definition::UserMapping(_) => 18,
        // A view's query that had to wait stands where rules stand.
        Definition::Relation(_) if post => 44,
        Definition::Relation(_) | Definition::Sequence(_) => 30,
        Definition::Constraint(constraint) if constraint.kind == "f" => 46,
        Definition::Constraint(_) => 40,
        Definition::Index(_) => 41,
        Definition::Statistics(_) => 43,
        Definition::Rule(_) => 44,
        Definition::Trigger(_) => 45,
        Definition::Policy(_) => 47,
        Definition::AccessMethod(_) => 9,
        Definition::OperatorFamily(_) => 10,
        Definition::OperatorClass(_) => 11,
        Definition::Transform(_) => 3,
        // Nothing is made of these.
        Definition::ExtensionData(_) | Definition::Member(_) => 34,
        Definition::Publication(_) | Definition::Subscription(_) => 48,
        Definition::EventTrigger(_) => 91,
    }
}

/// A loop that could only be broken at the price of an order that may fail.
fn unbroken(title: &str, needs: &str) -> Problem {
    Problem {
        kind: ProblemKind::Invalid,
        object: title.to_owned(),
        message: format!("needs {needs}, which needs it in turn; their order is a guess"),
        hint: Some(
            "Restore the snapshot to a scratch server to see whether the guess holds.".to_owned(),
        ),
    }
}

fn is_view(definition: &Definition) -> bool {
    matches!(definition, Definition::Relation(relation) if relation.kind == RelationKind::View)
}
