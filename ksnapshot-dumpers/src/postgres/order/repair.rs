//! Loops, and where they can be parted without changing what is restored.

use super::graph::Graph;
use super::*;

impl Graph<'_> {
    /// A type and the functions that it is made of need each other: the type is announced first.
    pub(super) fn announce_types(&mut self) {
        for position in 0..self.catalog.objects.len() {
            if !matches!(
                self.catalog.objects[position].definition,
                Definition::BaseType(_) | Definition::Range(_)
            ) {
                continue;
            }
            let whole = self.whole_of(position);
            let functions: Vec<usize> = self.needs[whole]
                .iter()
                .copied()
                .filter(|&need| self.needs[need].contains(&whole))
                .collect();
            if functions.is_empty() {
                continue;
            }
            let shell = self.node(position, Part::ShellType, false, false);
            let schemas: Vec<usize> = self.needs[whole]
                .iter()
                .copied()
                .filter(|&need| {
                    self.catalog.objects[self.nodes[need].object].address.0 == Class::Schema
                })
                .collect();
            for schema in schemas {
                self.need(shell, schema);
            }
            self.need(whole, shell);
            for function in functions {
                self.needs[function].remove(&whole);
                self.need(function, shell);
            }
        }
    }

    /// Moves behind the data what needs something there: a view or function whose query groups by a primary key, and
    /// what needs that in turn.
    pub(super) fn postpone(&mut self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut settled = false;
        while !settled {
            settled = true;
            // Parting adds steps, so the end moves.
            let mut node = 0;
            while node < self.nodes.len() {
                let late = |&&need: &&usize| self.nodes[need].post;
                let need = if self.nodes[node].post {
                    None
                } else {
                    self.needs[node].iter().find(late).copied()
                };
                if let Some(need) = need {
                    settled = false;
                    if !self.part_off(node) {
                        self.needs[node].remove(&need);
                        problems.push(unbroken(&self.title(node), &self.title(need)));
                    }
                }
                node += 1;
            }
        }
        problems
    }

    /// Breaks one loop among the steps that wait for each other; there is one if there are any.
    pub(super) fn break_loop(&mut self, stuck: &[usize]) -> Vec<Problem> {
        let round = self.find_loop(stuck);
        let weakness = |&node: &usize| {
            let object = &self.catalog.objects[self.nodes[node].object];
            match (&object.definition, self.nodes[node].part) {
                (Definition::Relation(relation), Part::Whole)
                    if relation.kind == RelationKind::View =>
                {
                    0
                }
                (Definition::Relation(relation), Part::Default(column))
                    if relation.columns[column].generated.is_empty() =>
                {
                    1
                }
                (Definition::Constraint(_), Part::Whole) if self.nodes[node].inline => 2,
                _ => 9,
            }
        };
        let mut candidates = round.clone();
        candidates.sort_by_key(|node| (weakness(node), *node));
        if let Some(&weakest) = candidates.first()
            && weakness(&weakest) < 9
            && !self.nodes[weakest].post
            && self.part_off(weakest)
        {
            return self.postpone();
        }
        // Nothing to part: give up the need that is least likely to be met at creation.
        let (Some(&from), Some(&to)) = (round.first(), round.get(1).or(round.first())) else {
            return Vec::new();
        };
        self.needs[from].remove(&to);
        vec![unbroken(&self.title(from), &self.title(to))]
    }

    /// Parts a step from what waits for it, and puts it behind the data. False if its kind can't be parted.
    fn part_off(&mut self, node: usize) -> bool {
        let catalog = self.catalog;
        let object = self.nodes[node].object;
        match (&catalog.objects[object].definition, self.nodes[node].part) {
            (Definition::Relation(relation), Part::Whole) => match relation.kind {
                RelationKind::View => self.stand_in(node),
                RelationKind::MaterializedView => {}
                _ => return false,
            },
            (Definition::Relation(relation), Part::Default(column)) => {
                if !relation.columns[column].generated.is_empty() {
                    return false;
                }
                self.separate(node, self.whole_of(object));
            }
            (Definition::Constraint(constraint), Part::Whole) => {
                let Some(&parent) = self.positions.get(&constraint.parent) else {
                    return false;
                };
                self.separate(node, self.whole_of(parent));
            }
            (Definition::Routine(_), Part::Whole) | (_, Part::OwnedBy | Part::Attach) => {}
            _ => return false,
        }
        self.nodes[node].post = true;
        true
    }

    fn separate(&mut self, node: usize, parent: usize) {
        self.nodes[node].inline = false;
        self.needs[parent].remove(&node);
        self.need(node, parent);
    }

    /// Puts a dummy in the place of a view: with its columns, so it needs their types, not its query's tables. A type may be that
    /// of another view's rows, which has a dummy already.
    fn stand_in(&mut self, view: usize) {
        let object = self.nodes[view].object;
        let dummy = self.node(object, Part::DummyView, false, false);
        let address = self.catalog.objects[object].address;
        // Edges are sorted.
        let first = self
            .catalog
            .edges
            .partition_point(|(from, _)| *from < address);
        let needs: Vec<usize> = self.catalog.edges[first..]
            .iter()
            .take_while(|(from, _)| *from == address)
            .filter_map(|(_, to)| self.positions.get(to))
            .map(|&position| {
                let dummy = self.part(position, Part::DummyView);
                dummy.unwrap_or_else(|| self.whole_of(position))
            })
            .filter(|need| *need != view && !self.nodes[*need].post)
            .collect();
        for need in needs {
            self.need(dummy, need);
        }
        for number in 0..self.nodes.len() {
            if number != dummy && !self.nodes[number].post && self.needs[number].remove(&view) {
                self.need(number, dummy);
            }
        }
        self.need(view, dummy);
    }

    /// A loop, each step needing the next one.
    fn find_loop(&self, stuck: &[usize]) -> Vec<usize> {
        let waiting: HashSet<usize> = stuck.iter().copied().collect();
        // Every stuck step needs another stuck one, so following needs comes back to where it was.
        let mut path: Vec<usize> = Vec::new();
        let mut at = stuck.first().copied();
        while let Some(node) = at {
            if let Some(start) = path.iter().position(|&earlier| earlier == node) {
                return path.split_off(start);
            }
            path.push(node);
            at = self.needs[node]
                .iter()
                .copied()
                .find(|need| waiting.contains(need));
        }
        path
    }

    fn title(&self, node: usize) -> String {
        self.catalog.objects[self.nodes[node].object].title()
    }
}
