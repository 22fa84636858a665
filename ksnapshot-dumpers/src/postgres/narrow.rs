//! What filters leave of a catalog. Pure, so that a restore, which makes the script again from the catalog in the index, meets
//! just what was dumped.
//!
//! A pattern means tables, views, materialized views and foreign tables. What is chosen brings what belongs to it (indexes,
//! constraints, triggers, owned sequences, grants), its partitions, and the types, functions, sequences, schemas and extensions
//! that it needs, so that it can be restored by itself. What needs a table that was left out, as a foreign key does, is a
//! listed problem. What is left out is left out by its own name: a partition that no pattern means stays, as a table of its own,
//! because rows that nobody named must not be lost.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};

use ksnapshot_core::pattern::{Letters, Pattern};
use ksnapshot_core::{Error, ErrorKind, Problem, ProblemKind, Result};

use super::model::{
    Address, Catalog, Class, Definition, Object, Properties, Relation, RelationKind, Sequence,
};
use super::progress;
use crate::Scope;

/// Takes away what `scope` doesn't mean.
///
/// Errors: [`ErrorKind::Usage`] when a pattern of what is to be dumped means nothing.
pub(super) fn narrow(catalog: &mut Catalog, scope: &Scope) -> Result<()> {
    let mut scope = Cow::Borrowed(scope);
    if is_part(catalog) {
        catalog.problems.push(Problem {
            kind: ProblemKind::Skipped,
            object: "database".into(),
            message: "holds a part of a snapshot: a restore into it was interrupted".into(),
            hint: Some("Go on with that restore, or drop the schema ksnapshot_restore if what is there is enough.".into()),
        });
        let progress = Pattern::parse(progress::SCHEMA)?;
        scope.to_mut().postgres.exclude_schemas.push(progress);
    }
    let scope = &*scope;
    if chooses(scope)
        || !scope.exclude_tables.is_empty()
        || !scope.postgres.exclude_schemas.is_empty()
    {
        let mut choice = Choice::new(catalog, scope)?;
        choice.complete();
        let Choice { kept, problems, .. } = choice;
        retain(catalog, scope, &kept, problems);
    }
    with_foreign_rows(catalog, scope)?;
    without_rows(catalog, scope);
    catalog.data_only = scope.postgres.data_only;
    Ok(())
}

/// Whether a restore of ours left off in the middle.
fn is_part(catalog: &Catalog) -> bool {
    let objects = &catalog.objects;
    (objects.iter()).any(|o| is_table(o) && o.schema.as_deref() == Some(progress::SCHEMA))
}

/// Which objects stay, by their positions.
struct Choice<'a> {
    catalog: &'a Catalog,
    positions: HashMap<Address, usize>,
    /// What each object needs, by `pg_depend` and by its schema.
    needs: Vec<BTreeSet<usize>>,
    /// Whom each object is needed by.
    wanted: Vec<Vec<usize>>,
    /// What belongs to each object.
    belongings: Vec<Vec<usize>>,
    kept: BTreeSet<usize>,
    /// What was asked to be left out, and what can't be without it.
    absent: HashSet<usize>,
    problems: Vec<Problem>,
}

impl<'a> Choice<'a> {
    fn new(catalog: &'a Catalog, scope: &Scope) -> Result<Self> {
        let mut choice = Self {
            catalog,
            positions: positions(catalog),
            needs: Vec::new(),
            wanted: vec![Vec::new(); catalog.objects.len()],
            belongings: vec![Vec::new(); catalog.objects.len()],
            kept: BTreeSet::new(),
            absent: HashSet::new(),
            problems: Vec::new(),
        };
        choice.relate();
        let only = chooses(scope);
        let objects = || catalog.objects.iter().enumerate();
        if only {
            for pattern in &scope.tables {
                let found = objects().filter(|(_, o)| is_table(o) && means(pattern, o));
                choice.take(
                    found.map(|(position, _)| position).collect(),
                    "table",
                    pattern,
                )?;
            }
            for pattern in &scope.postgres.schemas {
                let found = objects().filter(|(_, o)| schema_of(o).is_some_and(|s| is(pattern, s)));
                choice.take(
                    found.map(|(position, _)| position).collect(),
                    "schema",
                    pattern,
                )?;
            }
        } else {
            choice.kept = (0..catalog.objects.len()).collect();
        }
        choice.with_partitions();
        for (position, object) in objects() {
            let excluded =
                is_table(object) && scope.exclude_tables.iter().any(|p| means(p, object));
            let within = schema_of(object)
                .is_some_and(|schema| scope.postgres.exclude_schemas.iter().any(|p| is(p, schema)));
            if excluded || within || (only && is_table(object) && !choice.kept.contains(&position))
            {
                choice.absent.insert(position);
            }
        }
        let absent: Vec<usize> = choice.absent.iter().copied().collect();
        for position in absent {
            choice.leave_out(position);
        }
        let kept: Vec<usize> = choice.kept.iter().copied().collect();
        for position in kept {
            choice.keep(position);
        }
        Ok(choice)
    }

    fn take(&mut self, found: Vec<usize>, what: &str, pattern: &Pattern) -> Result<()> {
        if found.is_empty() {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("{what} {}: not in the database", pattern.as_str()),
            )
            .hint("Patterns are those of psql: orders, public.orders, \"Orders\", *.log_??."));
        }
        self.kept.extend(found);
        Ok(())
    }

    /// Finds out who needs whom, and what belongs to what.
    fn relate(&mut self) {
        let mut needs = vec![BTreeSet::new(); self.catalog.objects.len()];
        let mut parts = self.positions.clone();
        let mut schemas = HashMap::new();
        for (position, object) in self.catalog.objects.iter().enumerate() {
            parts.extend(object.parts().map(|part| (part, position)));
            if object.address.0 == Class::Schema {
                schemas.insert(object.name.as_str(), position);
            }
        }
        for (from, to) in &self.catalog.edges {
            if let (Some(&from), Some(&to)) = (parts.get(from), parts.get(to))
                && from != to
                && !self.is_attachment(from, to)
            {
                needs[from].insert(to);
            }
        }
        for (position, object) in self.catalog.objects.iter().enumerate() {
            let schema = object.schema.as_deref().and_then(|name| schemas.get(name));
            needs[position].extend(schema);
            if let Some(owner) = self.owner(object) {
                self.belongings[owner].push(position);
            }
        }
        for (position, needs) in needs.iter().enumerate() {
            for &need in needs {
                self.wanted[need].push(position);
            }
        }
        self.needs = needs;
    }

    /// Whether a key or index is just attached to that of the partitioned table above: without, it is one of its own.
    fn is_attachment(&self, from: usize, to: usize) -> bool {
        let is_key = |position: usize| match &self.catalog.objects[position].definition {
            Definition::Index(_) => true,
            Definition::Constraint(constraint) => constraint.kind != "f",
            _ => false,
        };
        is_key(from) && is_key(to) && {
            let [from, to] = [from, to].map(|position| self.owner(&self.catalog.objects[position]));
            from != to
        }
    }

    /// What an object can't be without.
    fn owner(&self, object: &Object) -> Option<usize> {
        self.positions.get(&object.parent()?).copied()
    }

    /// A partition is a piece of its parent, so it comes with it. A child by inheritance is a table of its own.
    fn with_partitions(&mut self) {
        self.spread(|choice, object| {
            let Definition::Relation(relation) = &object.definition else {
                return false;
            };
            let parents = relation.parents.iter();
            let mut parents =
                parents.filter_map(|&oid| choice.positions.get(&Address(Class::Relation, oid)));
            relation.is_partition && parents.any(|parent| choice.kept.contains(parent))
        });
    }

    /// Keeps what `joins`, until nothing does any more.
    fn spread(&mut self, joins: impl Fn(&Self, &Object) -> bool) {
        loop {
            let found: Vec<usize> = (0..self.catalog.objects.len())
                .filter(|position| !self.kept.contains(position))
                .filter(|&position| joins(self, &self.catalog.objects[position]))
                .collect();
            if found.is_empty() {
                return;
            }
            self.kept.extend(found);
        }
    }

    /// An object, with what belongs to it. Gives what is new.
    fn keep(&mut self, position: usize) -> Vec<usize> {
        let mut kept = Vec::new();
        let mut todo = vec![position];
        while let Some(position) = todo.pop() {
            if self.absent.contains(&position) {
                continue;
            }
            if self.kept.insert(position) {
                kept.push(position);
            }
            let more = self.belongings[position].iter();
            todo.extend(more.filter(|more| !self.kept.contains(more)));
        }
        kept
    }

    /// The opposite. A sequence may still be needed by another table. Gives those who can't have it now.
    fn leave_out(&mut self, position: usize) -> Vec<usize> {
        let mut wanting = Vec::new();
        let mut todo = vec![position];
        while let Some(position) = todo.pop() {
            self.kept.remove(&position);
            if !matches!(
                self.catalog.objects[position].definition,
                Definition::Sequence(_)
            ) {
                self.absent.insert(position);
                wanting.extend(&self.wanted[position]);
            }
            let more = self.belongings[position].iter();
            todo.extend(more.filter(|more| !self.absent.contains(more)));
        }
        wanting
    }

    /// Adds what the chosen need; what of them can't be without something absent goes, with a word.
    fn complete(&mut self) {
        let mut todo: Vec<usize> = self.kept.iter().copied().collect();
        while let Some(position) = todo.pop() {
            let object = &self.catalog.objects[position];
            // What is published is a list, and gets shorter.
            let is_list = matches!(object.definition, Definition::Publication(_));
            let needs: Vec<usize> = self.needs[position].iter().copied().collect();
            for need in needs {
                if !self.kept.contains(&position) {
                    break;
                } else if !self.absent.contains(&need) {
                    todo.extend(self.keep(need));
                } else if !is_list {
                    todo.extend(self.lacks(position, need));
                }
            }
        }
    }

    /// Rows are worth having even where something of their table is not; everything else can't be without what it needs.
    /// Gives those who can't have it now.
    fn lacks(&mut self, position: usize, missing: usize) -> Vec<usize> {
        let object = &self.catalog.objects[position];
        let missing = &self.catalog.objects[missing];
        let title = missing.title();
        let relation = match &object.definition {
            Definition::Relation(relation) if has_rows(relation.kind) => Some(relation),
            _ => None,
        };
        let message = match relation {
            Some(relation) if relation.parents.contains(&missing.address.1) => {
                format!("stands alone, without {title}, which is left out")
            }
            _ => format!("needs {title}, which is left out"),
        };
        let problem = Problem {
            kind: ProblemKind::Skipped,
            object: object.title(),
            message,
            hint: Some("Choose both, or add it by hand.".into()),
        };
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
        match relation {
            Some(_) => Vec::new(),
            None => self.leave_out(position),
        }
    }
}

fn positions(catalog: &Catalog) -> HashMap<Address, usize> {
    let objects = catalog.objects.iter().enumerate();
    objects.map(|(position, o)| (o.address, position)).collect()
}

/// Takes away what is not kept, and what is said of it elsewhere.
fn retain(catalog: &mut Catalog, scope: &Scope, kept: &BTreeSet<usize>, problems: Vec<Problem>) {
    let mut gone = HashSet::new();
    let mut position = 0;
    catalog.objects.retain(|object| {
        let stays = kept.contains(&position);
        position += 1;
        if !stays {
            gone.insert(object.title());
        }
        stays
    });
    let there: HashSet<Address> = catalog.objects.iter().map(|o| o.address).collect();
    let is_there = |oid: u32| there.contains(&Address(Class::Relation, oid));
    let mut alone = HashSet::new();
    for object in &mut catalog.objects {
        match &mut object.definition {
            Definition::Relation(relation)
                if !relation.parents.iter().all(|&oid| is_there(oid)) =>
            {
                stand_alone(relation);
                alone.insert(object.address);
            }
            Definition::Index(index) => {
                index.parent = index.parent.filter(|&oid| is_there(oid));
            }
            Definition::Sequence(sequence) => {
                let owner = sequence.owned_by.take();
                sequence.owned_by = owner.filter(|owner| is_there(owner.table));
            }
            Definition::Publication(publication) => {
                publication.tables.retain(|table| is_there(table.table));
                (publication.schemas)
                    .retain(|s| !scope.postgres.exclude_schemas.iter().any(|p| is(p, s)));
            }
            _ => {}
        }
    }
    for object in &mut catalog.objects {
        if let Definition::Constraint(constraint) = &mut object.definition
            && alone.contains(&constraint.parent)
        {
            constraint.local = true;
        }
    }
    let names: HashSet<Address> = (catalog.objects.iter().flat_map(Object::parts))
        .chain(there.iter().copied())
        .collect();
    (catalog.edges).retain(|(from, to)| names.contains(from) && names.contains(to));
    let only = chooses(scope);
    catalog
        .default_privileges
        .retain(|defaults| match &defaults.schema {
            Some(schema) if only => scope.postgres.schemas.iter().any(|p| is(p, schema)),
            Some(schema) => !scope.postgres.exclude_schemas.iter().any(|p| is(p, schema)),
            None => !only,
        });
    if only {
        catalog.large_objects.clear();
        catalog.properties = Properties::default();
    }
    catalog
        .problems
        .retain(|problem| !gone.contains(&problem.object));
    catalog.problems.extend(problems);
}

/// Makes a table of its own of a partition or child.
fn stand_alone(relation: &mut Relation) {
    relation.parents.clear();
    relation.parent_names.clear();
    relation.is_partition = false;
    relation.bound = None;
    for column in &mut relation.columns {
        column.local = true;
        if let Some(not_null) = &mut column.not_null {
            not_null.local = not_null.local.map(|_| true);
        }
    }
}

/// Marks the foreign tables that are dumped with their rows.
fn with_foreign_rows(catalog: &mut Catalog, scope: &Scope) -> Result<()> {
    for pattern in &scope.postgres.foreign_data {
        let mut servers = (catalog.objects.iter())
            .filter(|object| matches!(object.definition, Definition::ForeignServer(_)));
        if !servers.any(|server| is(pattern, &server.name)) {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("foreign server {}: not in the database", pattern.as_str()),
            )
            .hint("Name it as `\\des` of psql does."));
        }
        for object in &mut catalog.objects {
            if let Definition::Relation(relation) = &mut object.definition
                && (relation.server.as_deref()).is_some_and(|server| is(pattern, server))
            {
                relation.foreign_rows = true;
            }
        }
    }
    Ok(())
}

/// Marks what is dumped without its rows.
fn without_rows(catalog: &mut Catalog, scope: &Scope) {
    for object in &mut catalog.objects {
        let without = scope.no_data
            || is_table(object)
                && scope
                    .postgres
                    .exclude_table_data
                    .iter()
                    .any(|p| means(p, object));
        match &mut object.definition {
            Definition::Relation(relation) if without => {
                relation.without_rows = true;
                relation.populated = false;
            }
            Definition::Sequence(Sequence { without_value, .. }) => *without_value = scope.no_data,
            _ => {}
        }
    }
    if scope.no_data {
        catalog.large_objects.clear();
    }
}

/// Whether a table is left out for its name alone, before anything else is known of it: it needs no lock then. Of partitions only
/// the whole catalog tells whether they come with what was chosen.
pub(super) fn leaves_out(scope: &Scope, schema: &str, name: &str, is_partition: bool) -> bool {
    let table = |pattern: &Pattern| pattern.matches(Letters::Folded, Some(schema), name);
    let within = |pattern: &Pattern| is(pattern, schema);
    let excluded =
        scope.exclude_tables.iter().any(table) || scope.postgres.exclude_schemas.iter().any(within);
    let chosen = scope.tables.iter().any(table) || scope.postgres.schemas.iter().any(within);
    excluded || chooses(scope) && !chosen && !is_partition
}

/// Only what is named is dumped.
fn chooses(scope: &Scope) -> bool {
    !scope.tables.is_empty() || !scope.postgres.schemas.is_empty()
}

/// What a pattern may mean.
fn is_table(object: &Object) -> bool {
    matches!(object.definition, Definition::Relation(_))
}

fn has_rows(kind: RelationKind) -> bool {
    matches!(
        kind,
        RelationKind::Table | RelationKind::Partitioned | RelationKind::Foreign
    )
}

/// The schema that an object is in, or is.
fn schema_of(object: &Object) -> Option<&str> {
    match object.address.0 {
        Class::Schema => Some(&object.name),
        _ => object.schema.as_deref(),
    }
}

fn means(pattern: &Pattern, object: &Object) -> bool {
    pattern.matches(Letters::Folded, object.schema.as_deref(), &object.name)
}

fn is(pattern: &Pattern, schema: &str) -> bool {
    pattern.matches(Letters::Folded, None, schema)
}
