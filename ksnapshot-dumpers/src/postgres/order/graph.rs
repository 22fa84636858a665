//! Steps and what they need.

use super::*;

/// A step that has no place yet.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) object: usize,
    pub(super) part: Part,
    /// After the data.
    pub(super) post: bool,
    pub(super) inline: bool,
}

/// All steps of a catalog.
#[derive(Debug)]
pub(super) struct Graph<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) positions: HashMap<Address, usize>,
    pub(super) nodes: Vec<Node>,
    pub(super) needs: Vec<BTreeSet<usize>>,
    pub(super) parts: HashMap<(usize, Part), usize>,
}

impl<'a> Graph<'a> {
    pub(super) fn new(catalog: &'a Catalog) -> Self {
        let positions = catalog
            .objects
            .iter()
            .enumerate()
            .map(|(position, object)| (object.address, position))
            .collect();
        let mut graph = Self {
            catalog,
            positions,
            nodes: Vec::new(),
            needs: Vec::new(),
            parts: HashMap::new(),
        };
        let mut by_address: HashMap<Address, usize> = HashMap::new();
        for (position, object) in catalog.objects.iter().enumerate() {
            let whole = graph.whole(position);
            by_address.insert(object.address, whole);
            if let Definition::Relation(relation) = &object.definition {
                by_address.extend(relation.rule.map(|oid| (Address(Class::Rule, oid), whole)));
                for (number, column) in relation.columns.iter().enumerate() {
                    let Some(default) = &column.default else {
                        continue;
                    };
                    // A column that the table only inherits isn't written, so neither is its default with it.
                    let inline = relation.kind != RelationKind::View
                        && (column.local || relation.is_partition);
                    let node = graph.node(position, Part::Default(number), false, inline);
                    by_address.insert(Address(Class::ColumnDefault, default.oid), node);
                }
            }
        }
        for (from, to) in &catalog.edges {
            if let (Some(&from), Some(&to)) = (by_address.get(from), by_address.get(to)) {
                graph.need(from, to);
            }
        }
        for position in 0..catalog.objects.len() {
            graph.own_needs(position);
        }
        graph.attached_keys();
        graph.refreshes();
        graph
    }

    pub(super) fn node(&mut self, object: usize, part: Part, post: bool, inline: bool) -> usize {
        let number = self.nodes.len();
        self.nodes.push(Node {
            object,
            part,
            post,
            inline,
        });
        self.needs.push(BTreeSet::new());
        self.parts.insert((object, part), number);
        number
    }

    pub(super) fn need(&mut self, from: usize, to: usize) {
        if from != to {
            self.needs[from].insert(to);
        }
    }

    pub(super) fn part(&self, object: usize, part: Part) -> Option<usize> {
        self.parts.get(&(object, part)).copied()
    }

    /// The step of an object itself; every object has one.
    pub(super) fn whole_of(&self, object: usize) -> usize {
        self.parts[&(object, Part::Whole)]
    }

    fn whole(&mut self, position: usize) -> usize {
        let (post, inline) = match &self.catalog.objects[position].definition {
            // What rows may break waits for them.
            Definition::Constraint(constraint) if constraint.kind == "c" => {
                (!constraint.valid, constraint.valid)
            }
            Definition::Constraint(_)
            | Definition::Index(_)
            | Definition::Statistics(_)
            | Definition::Rule(_)
            | Definition::Trigger(_)
            | Definition::Policy(_)
            | Definition::Publication(_)
            | Definition::Subscription(_)
            | Definition::EventTrigger(_) => (true, false),
            _ => (false, false),
        };
        self.node(position, Part::Whole, post, inline)
    }

    /// What `pg_depend` doesn't say, or says of the parts together.
    fn own_needs(&mut self, position: usize) {
        let catalog = self.catalog;
        let object = &catalog.objects[position];
        let whole = self.whole_of(position);
        let parent = object
            .parent()
            .and_then(|parent| self.positions.get(&parent).copied());
        match &object.definition {
            Definition::Relation(relation) => {
                for number in 0..relation.columns.len() {
                    let Some(default) = self.part(position, Part::Default(number)) else {
                        continue;
                    };
                    if self.nodes[default].inline {
                        self.needs[default].remove(&whole);
                        self.need(whole, default);
                    } else {
                        self.need(default, whole);
                    }
                }
                let parents: Vec<usize> = relation
                    .parents
                    .iter()
                    .filter_map(|&oid| self.positions.get(&Address(Class::Relation, oid)).copied())
                    .collect();
                if relation.is_partition {
                    let attach = self.node(position, Part::Attach, false, false);
                    self.need(attach, whole);
                    for parent in parents {
                        let parent = self.whole_of(parent);
                        self.need(attach, parent);
                    }
                } else {
                    for parent in parents {
                        let parent = self.whole_of(parent);
                        self.need(whole, parent);
                    }
                }
                if relation.row_security || relation.force_row_security {
                    let security = self.node(position, Part::RowSecurity, true, false);
                    self.need(security, whole);
                }
            }
            Definition::Sequence(sequence) => {
                let (Some(owned_by), Some(table)) = (&sequence.owned_by, parent) else {
                    return;
                };
                let table = self.whole_of(table);
                if owned_by.identity {
                    self.need(whole, table);
                } else {
                    let tie = self.node(position, Part::OwnedBy, false, false);
                    self.need(tie, whole);
                    self.need(tie, table);
                }
            }
            Definition::Constraint(_) => {
                let Some(parent) = parent else { return };
                let parent = self.whole_of(parent);
                if self.nodes[whole].inline {
                    self.needs[whole].remove(&parent);
                    self.need(parent, whole);
                } else {
                    self.need(whole, parent);
                }
            }
            Definition::Index(index) => {
                if let Some(parent) = parent {
                    let table = self.whole_of(parent);
                    self.need(whole, table);
                }
                let constraint = index.constraint.map(|oid| Address(Class::Constraint, oid));
                if let Some(&constraint) =
                    constraint.and_then(|address| self.positions.get(&address))
                {
                    let constraint = self.whole_of(constraint);
                    self.needs[constraint].remove(&whole);
                    self.need(whole, constraint);
                }
                let above = index.parent.map(|oid| Address(Class::Relation, oid));
                if let Some(&above) = above.and_then(|address| self.positions.get(&address)) {
                    let attach = self.node(position, Part::Attach, true, false);
                    let above = self.whole_of(above);
                    // "Attached to" is no need of the index itself.
                    self.needs[whole].remove(&above);
                    self.need(attach, whole);
                    self.need(attach, above);
                    self.unattached_constraint(position, above);
                }
            }
            _ => {
                if let Some(parent) = parent {
                    let parent = self.whole_of(parent);
                    self.need(whole, parent);
                }
            }
        }
    }

    /// A partition's key constraint depends on its parent's, by way of the attached index; it is made without it.
    fn unattached_constraint(&mut self, position: usize, above: usize) {
        let Definition::Index(index) = &self.catalog.objects[position].definition else {
            return;
        };
        let Some(oid) = index.constraint else { return };
        let Some(&constraint) = self.positions.get(&Address(Class::Constraint, oid)) else {
            return;
        };
        let constraint = self.whole_of(constraint);
        self.needs[constraint].remove(&above);
        let above_object = self.nodes[above].object;
        if let Definition::Index(parent) = &self.catalog.objects[above_object].definition
            && let Some(oid) = parent.constraint
            && let Some(&parent) = self.positions.get(&Address(Class::Constraint, oid))
        {
            let parent = self.whole_of(parent);
            self.needs[constraint].remove(&parent);
        }
    }

    /// A foreign key to a partitioned table needs its key whole: an index with all its partitions' attached.
    fn attached_keys(&mut self) {
        let mut below: HashMap<u32, Vec<usize>> = HashMap::new();
        for (position, object) in self.catalog.objects.iter().enumerate() {
            if let Definition::Index(index) = &object.definition
                && let Some(parent) = index.parent
            {
                below.entry(parent).or_default().push(position);
            }
        }
        for number in 0..self.nodes.len() {
            let object = &self.catalog.objects[self.nodes[number].object];
            if !matches!(&object.definition, Definition::Constraint(constraint) if constraint.kind == "f")
            {
                continue;
            }
            let mut open: Vec<u32> = self.needs[number]
                .iter()
                .map(|&need| &self.catalog.objects[self.nodes[need].object])
                .filter(|needed| matches!(&needed.definition, Definition::Index(index) if index.partitioned))
                .map(|needed| needed.address.1)
                .collect();
            while let Some(oid) = open.pop() {
                for &position in below.get(&oid).into_iter().flatten() {
                    open.push(self.catalog.objects[position].address.1);
                    if let Some(attach) = self.part(position, Part::Attach) {
                        self.need(number, attach);
                    }
                }
            }
        }
    }

    /// A materialized view is filled after those that it reads, and only if all of them were filled.
    fn refreshes(&mut self) {
        let materialized: Vec<usize> = (0..self.catalog.objects.len())
            .filter(|&p| self.is_materialized(p))
            .collect();
        let reads: HashMap<usize, Vec<usize>> = materialized
            .iter()
            .map(|&position| (position, self.reads(position)))
            .collect();
        let filled = |position: usize| matches!(&self.catalog.objects[position].definition, Definition::Relation(relation) if relation.populated);
        let refreshed: HashSet<usize> = materialized
            .iter()
            .copied()
            .filter(|&p| {
                filled(p)
                    && reads[&p]
                        .iter()
                        .all(|&read| !self.is_materialized(read) || filled(read))
            })
            .collect();
        for &position in &materialized {
            if refreshed.contains(&position) {
                let refresh = self.node(position, Part::Refresh, true, false);
                let whole = self.whole_of(position);
                self.need(refresh, whole);
            }
        }
        for &position in &materialized {
            let Some(refresh) = self.part(position, Part::Refresh) else {
                continue;
            };
            for &read in &reads[&position] {
                let needed = self.part(read, Part::Refresh);
                let needed = needed.or_else(|| {
                    is_view(&self.catalog.objects[read].definition).then(|| self.whole_of(read))
                });
                if let Some(needed) = needed {
                    self.need(refresh, needed);
                }
            }
        }
    }

    fn is_materialized(&self, position: usize) -> bool {
        matches!(&self.catalog.objects[position].definition,
            Definition::Relation(relation) if relation.kind == RelationKind::MaterializedView)
    }

    /// Every object that a view's query reaches.
    pub(super) fn reads(&self, position: usize) -> Vec<usize> {
        let mut seen = BTreeSet::new();
        let mut open = vec![self.whole_of(position)];
        while let Some(node) = open.pop() {
            for &need in &self.needs[node] {
                let object = self.nodes[need].object;
                if object != position && seen.insert(object) {
                    open.push(self.whole_of(object));
                }
            }
        }
        seen.into_iter().collect()
    }
}
