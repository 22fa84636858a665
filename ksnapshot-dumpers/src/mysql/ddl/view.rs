//! Views, after what they read.

use std::collections::{HashMap, HashSet};

use ksnapshot_core::{Aspect, Stage};

use super::super::model::View;
use super::super::quote::name;
use super::program::{character_sets, replacing, view_uses, without_definer};
use super::{Draft, Place, Writer};

/// A view: its database and its number there.
type Node = (usize, usize);

/// What one view reads.
#[derive(Debug, Default)]
struct Uses {
    views: Vec<Node>,
    /// Items that must be done before.
    items: Vec<u32>,
    /// It reads another database.
    abroad: bool,
}

impl<'a> Writer<'a> {
    /// Writes views in an order in which each finds what it reads. Where names suggest a circle, a placeholder that shows
    /// the same columns breaks it.
    pub(super) fn views(&mut self) {
        let uses = self.uses();
        let (order, broken) = order(&uses);
        let mut placeholders: HashMap<Node, u32> = HashMap::new();
        let mut broken: Vec<Node> = broken.into_iter().collect();
        broken.sort_unstable();
        for node in broken {
            let (database, view) = self.view(node);
            let text = placeholder(view);
            let item = self.push(
                Place::Database(node.0),
                Draft {
                    stage: Stage::PreData,
                    aspect: Aspect::Definition,
                    kind: "view placeholder",
                    database: Some(&database.name),
                    name: &view.name,
                    table: None,
                    depends: self.made[node.0].into_iter().collect(),
                    text: Some(text),
                },
            );
            placeholders.insert(node, item);
        }
        let mut items: HashMap<Node, u32> = HashMap::new();
        let mut late: HashSet<Node> = HashSet::new();
        for node in order {
            let (database, view) = self.view(node);
            let needs = &uses[&node];
            let mut depends = needs.items.clone();
            depends.extend(self.made[node.0]);
            depends.extend(
                needs
                    .views
                    .iter()
                    .filter_map(|n| items.get(n).or_else(|| placeholders.get(n))),
            );
            depends.extend(placeholders.get(&node));
            depends.sort_unstable();
            depends.dedup();
            let abroad = needs.abroad || needs.views.iter().any(|n| late.contains(n));
            let place = if abroad && !self.catalog.single() {
                late.insert(node);
                Place::Post
            } else {
                self.place_after(node.0)
            };
            let mut create = view.create.clone();
            if self.catalog.scope.skip_definer {
                create = without_definer(&create);
            }
            if placeholders.contains_key(&node) {
                create = replacing(&create);
            }
            let text = format!(
                "{}{create};\nSET NAMES utf8mb4;",
                character_sets(&view.session, &create)
            );
            let item = self.push(
                place,
                Draft {
                    stage: Stage::PostData,
                    aspect: Aspect::Definition,
                    kind: "view",
                    database: Some(&database.name),
                    name: &view.name,
                    table: None,
                    depends,
                    text: Some(text),
                },
            );
            // A pattern of tables may mean a view.
            self.script.items[item as usize].table = Some(item);
            items.insert(node, item);
        }
    }

    fn view(&self, (d, v): Node) -> (&'a super::Database, &'a View) {
        let database = &self.catalog.databases[d];
        (database, &database.views[v])
    }

    fn uses(&self) -> HashMap<Node, Uses> {
        let mut views: HashMap<(&str, &str), Node> = HashMap::new();
        let mut items: HashMap<(&str, &str), Vec<u32>> = HashMap::new();
        for (d, database) in self.databases_numbered() {
            for (v, view) in database.views.iter().enumerate() {
                views.insert((&database.name, &view.name), (d, v));
            }
            for sequence in &database.sequences {
                let id = self.sequences[&(d, sequence.name.as_str())];
                items
                    .entry((&database.name, &sequence.name))
                    .or_default()
                    .push(id);
            }
            for (r, routine) in database.routines.iter().enumerate() {
                let id = self.routines.get(&(d, r)).copied();
                items
                    .entry((&database.name, &routine.name))
                    .or_default()
                    .extend(id);
            }
        }
        for (d, t, database, table) in self.tables_numbered() {
            let own = &self.tables[&(d, t)];
            let ids = items.entry((&database.name, &table.name)).or_default();
            // A query may name an index, or search in one.
            ids.push(own.definition);
            ids.extend(&own.indexes);
        }
        let known = |database: &str, object: &str| {
            views.contains_key(&(database, object)) || items.contains_key(&(database, object))
        };
        let mut uses = HashMap::new();
        for (d, database) in self.databases_numbered() {
            for (v, view) in database.views.iter().enumerate() {
                let mut found = Uses::default();
                for (other, object) in view_uses(&view.create, &database.name, known) {
                    found.abroad |= other != database.name;
                    let key = (other.as_str(), object.as_str());
                    found
                        .views
                        .extend(views.get(&key).filter(|node| **node != (d, v)));
                    found.items.extend(items.get(&key).into_iter().flatten());
                }
                uses.insert((d, v), found);
            }
        }
        uses
    }
}

/// Views in an order in which each comes after those it reads, and those that must be there before their turn.
fn order(uses: &HashMap<Node, Uses>) -> (Vec<Node>, HashSet<Node>) {
    let mut all: Vec<Node> = uses.keys().copied().collect();
    all.sort_unstable();
    let mut done: HashSet<Node> = HashSet::new();
    let mut open: HashSet<Node> = HashSet::new();
    let (mut order, mut broken) = (Vec::new(), HashSet::new());
    for start in all {
        // A stack of our own: views may stand on each other a thousand high.
        let mut stack = vec![(start, 0)];
        while let Some((node, next)) = stack.pop() {
            if next == 0 && (done.contains(&node) || !open.insert(node)) {
                continue;
            }
            let needs = uses.get(&node).map_or(&[][..], |u| &u.views);
            match needs.get(next) {
                Some(&need) => {
                    stack.push((node, next + 1));
                    if open.contains(&need) {
                        broken.insert(need);
                    } else if !done.contains(&need) {
                        stack.push((need, 0));
                    }
                }
                None => {
                    open.remove(&node);
                    done.insert(node);
                    order.push(node);
                }
            }
        }
    }
    (order, broken)
}

/// A view that shows nothing of interest under the same names.
fn placeholder(view: &View) -> String {
    let columns: Vec<String> = (view.columns.iter())
        .map(|column| format!("1 AS {}", name(column)))
        .collect();
    let columns = if columns.is_empty() {
        "1".to_owned()
    } else {
        columns.join(", ")
    };
    format!("CREATE VIEW {} AS SELECT {columns};", name(&view.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn graph(edges: &[(usize, usize)], nodes: usize) -> HashMap<Node, Uses> {
        let mut uses: HashMap<Node, Uses> = (0..nodes).map(|n| ((0, n), Uses::default())).collect();
        for &(from, to) in edges.iter().filter(|(from, to)| from != to) {
            uses.entry((0, from)).or_default().views.push((0, to));
        }
        uses
    }

    proptest! {
        #[test]
        fn each_view_finds_what_it_reads(edges in prop::collection::vec((0_usize..12, 0_usize..12), 0..30)) {
            let uses = graph(&edges, 12);
            let (order, broken) = order(&uses);
            let place: HashMap<Node, usize> = order.iter().enumerate().map(|(at, n)| (*n, at)).collect();
            prop_assert_eq!(place.len(), 12);
            prop_assert_eq!(order.len(), 12);
            for (node, needs) in &uses {
                for need in &needs.views {
                    prop_assert!(place[need] < place[node] || broken.contains(need));
                }
            }
        }

        #[test]
        fn without_circles_there_are_no_placeholders(edges in prop::collection::vec((0_usize..12, 0_usize..12), 0..30)) {
            let down: Vec<_> = edges.into_iter().filter(|(from, to)| from > to).collect();
            prop_assert!(order(&graph(&down, 12)).1.is_empty());
        }
    }
}
