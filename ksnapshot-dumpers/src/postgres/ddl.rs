//! Writes a catalog as SQL: statements in the order of restoring, each with what it needs. A pure function, so that
//! what is written can be tested without a server.

use std::collections::{BTreeSet, HashMap, HashSet};

use ksnapshot_core::{Aspect, Item, Problem, ProblemKind, Stage, Text};

use super::model::{Address, Catalog, Class, Definition, Object, Relation, RelationKind};
use super::order::{Part, Step, order};
use super::quote;

pub(crate) use database::DATABASE;
pub(crate) use large_objects::LARGE_OBJECTS;
pub(crate) use planner::{PLANNER_STATISTICS, planner_call};

mod acl;
mod children;
mod data;
mod database;
mod drop;
mod globals;
mod keep;
mod large_objects;
mod names;
mod planner;
mod routine;
mod sequence;
mod table;
mod tail;
mod types;
mod view;

/// Everything that a restore has to do.
#[derive(Debug, Default)]
pub(crate) struct Script {
    /// What has a place of its own, in the order of restoring; an item's id is its position.
    pub(crate) items: Vec<Item>,
    /// The text of every item that isn't data, by item id. Ends with an empty line.
    pub(crate) definitions: Vec<(u32, Text)>,
    /// How many of the first items are of all databases of the server.
    pub(crate) globals: usize,
    /// What undoes an item that makes something, where it is; in the order of restoring.
    pub(crate) drops: Vec<(u32, String)>,
    /// What has rows.
    pub(crate) tables: Vec<TableData>,
    /// What has a value.
    pub(crate) sequences: Vec<SequenceData>,
    /// Large objects that have bytes.
    pub(crate) large_objects: Vec<LargeObjectData>,
    /// What is not, or not wholly, written.
    pub(crate) problems: Vec<Problem>,
}

impl Script {
    /// Gives other numbers to what is said of items beside themselves and their texts. That of which `number` knows none goes.
    pub(crate) fn renumber(&mut self, number: impl Fn(&mut u32) -> bool) {
        self.drops.retain_mut(|(id, _)| number(id));
        self.tables.retain_mut(|table| number(&mut table.item));
        self.sequences
            .retain_mut(|sequence| number(&mut sequence.item));
        self.large_objects
            .retain_mut(|batch| number(&mut batch.item));
    }
}

/// An item of a table in the schema `s`, for tests.
#[cfg(test)]
pub(crate) fn item(id: u32, stage: Stage, aspect: Aspect, name: &str) -> Item {
    Item {
        id,
        stage,
        aspect,
        kind: "table".into(),
        schema: Some("s".into()),
        name: name.into(),
        table: None,
        owner: None,
        depends: Vec::new(),
        place: None,
        data: None,
    }
}

/// A table whose rows are data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableData {
    /// The data item.
    pub(crate) item: u32,
    pub(crate) oid: u32,
    /// Quoted and qualified.
    pub(crate) name: String,
    /// The table at the top of a partition's tree, quoted and qualified; any other one itself.
    pub(crate) root: String,
    /// The live columns that aren't generated, quoted, in order of their numbers. May be empty: such rows still count.
    pub(crate) columns: Vec<String>,
    /// Those of type `bytea`, by their positions.
    pub(crate) bytea: Vec<usize>,
    /// `WHERE …`, for tables of extensions of which only some rows are data.
    pub(crate) condition: Option<String>,
    /// Rows of all its partitions, read and loaded through it. Otherwise rows are its own only.
    pub(crate) through_root: bool,
    /// It is known to have no rows.
    pub(crate) empty: bool,
    /// Pages of rows.
    pub(crate) pages: u64,
    /// The same of the TOAST table.
    pub(crate) toast_pages: u64,
    /// Stored by the built-in access method, whose rows can be split by `ctid`.
    pub(crate) heap: bool,
    /// Its rows may be read. Reporting the opposite is the caller's.
    pub(crate) readable: bool,
    /// Its rows don't survive a crash of the server.
    pub(crate) unlogged: bool,
}

#[cfg(test)]
impl TableData {
    /// An empty heap of that name with these columns, for tests.
    pub(crate) fn plain(name: &str, columns: &[&str]) -> Self {
        Self {
            item: 0,
            oid: 0,
            name: name.to_owned(),
            root: name.to_owned(),
            columns: columns.iter().map(|&column| column.to_owned()).collect(),
            bytea: Vec::new(),
            condition: None,
            through_root: false,
            empty: false,
            pages: 0,
            toast_pages: 0,
            heap: true,
            readable: true,
            unlogged: false,
        }
    }
}

/// A sequence whose value is data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SequenceData {
    /// The data item.
    pub(crate) item: u32,
    pub(crate) oid: u32,
    /// Quoted and qualified.
    pub(crate) name: String,
    /// Its value may be read. Reporting the opposite is the caller's.
    pub(crate) readable: bool,
}

/// Large objects whose bytes are one data item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LargeObjectData {
    /// The data item.
    pub(crate) item: u32,
    /// Ascending.
    pub(crate) oids: Vec<u32>,
    /// Whether their bytes may be read.
    pub(crate) readable: bool,
}

impl LargeObjectData {
    /// For errors.
    pub(crate) fn title(&self) -> String {
        format!("large objects {}", large_objects::span(&self.oids))
    }

    /// Makes them, empty.
    pub(crate) fn create(&self) -> String {
        large_objects::create(&self.oids)
    }

    /// Removes those that are there.
    pub(crate) fn unlink(&self) -> String {
        format!(
            "SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata WHERE oid IN ({})",
            large_objects::list(&self.oids)
        )
    }
}

/// Writes everything, in dependency order: before the data, data, after the data.
pub(crate) fn statements(catalog: &Catalog) -> Script {
    write(catalog, true)
}

/// … but for the texts, which a snapshot has.
pub(crate) fn without_texts(catalog: &Catalog) -> Script {
    write(catalog, false)
}

fn write(catalog: &Catalog, keeps_texts: bool) -> Script {
    let (steps, problems) = order(catalog);
    let mut writer = Writer::new(catalog, &steps);
    writer.keeps_texts = keeps_texts;
    writer
        .script
        .problems
        .extend(catalog.problems.iter().cloned());
    writer.script.problems.extend(problems);
    writer.globals();
    for (number, step) in steps
        .iter()
        .enumerate()
        .filter(|(_, step)| step.stage == Stage::PreData)
    {
        writer.step(number, step);
    }
    writer.extension_keys(&steps, Stage::PreData);
    let batches = writer.create_large_objects();
    writer.data(&steps, batches);
    writer.extension_keys(&steps, Stage::PostData);
    let (last, main): (Vec<_>, Vec<_>) = steps
        .iter()
        .enumerate()
        .filter(|(_, step)| step.stage == Stage::PostData)
        .partition(|(_, step)| {
            step.part == Part::Refresh
                || matches!(
                    catalog.objects[step.object].definition,
                    Definition::EventTrigger(_)
                )
        });
    for (number, step) in main {
        writer.step(number, step);
    }
    // Privileges come when nothing is created any more: they may take the right to do so. Event triggers and queries
    // run last, with the final privileges.
    writer.privileges(&steps);
    for (number, step) in last {
        writer.step(number, step);
        if matches!(
            catalog.objects[step.object].definition,
            Definition::EventTrigger(_)
        ) {
            writer.after_everything(number);
        }
    }
    writer.database();
    writer.planner_statistics();
    writer.finish()
}

/// Items under construction.
struct Writer<'a> {
    catalog: &'a Catalog,
    /// Whether the texts of items are wanted, too.
    keeps_texts: bool,
    positions: HashMap<Address, usize>,
    script: Script,
    /// What stands for a step in the needs of others: its item, or what it needs itself if it has none.
    provided: Vec<Vec<u32>>,
    /// The first item that makes an object.
    made: HashMap<usize, u32>,
    /// The items of an object's privileges.
    granted: HashMap<usize, Vec<u32>>,
    /// The object that each item is about, where it is one.
    about: Vec<Option<usize>>,
    /// Parts that are written within another statement.
    inline: HashSet<(usize, Part)>,
    /// CHECK constraints of tables and domains, by name.
    checks: HashMap<Address, Vec<usize>>,
    /// Schemas by name.
    schemas: HashMap<&'a str, usize>,
}

/// One item before it has a number.
struct Draft<'t> {
    stage: Stage,
    aspect: Aspect,
    kind: &'t str,
    name: String,
    depends: Vec<u32>,
    text: Option<String>,
}

impl<'a> Writer<'a> {
    fn new(catalog: &'a Catalog, steps: &[Step]) -> Self {
        let positions = catalog
            .objects
            .iter()
            .enumerate()
            .map(|(position, object)| (object.address, position))
            .collect();
        let mut checks: HashMap<Address, Vec<usize>> = HashMap::new();
        for (position, object) in catalog.objects.iter().enumerate() {
            if let Definition::Constraint(constraint) = &object.definition
                && constraint.kind == "c"
            {
                checks.entry(constraint.parent).or_default().push(position);
            }
        }
        for list in checks.values_mut() {
            list.sort_by(|&a, &b| catalog.objects[a].name.cmp(&catalog.objects[b].name));
        }
        Self {
            catalog,
            keeps_texts: true,
            positions,
            script: Script::default(),
            provided: vec![Vec::new(); steps.len()],
            made: HashMap::new(),
            granted: HashMap::new(),
            about: Vec::new(),
            inline: steps
                .iter()
                .filter(|step| step.inline)
                .map(|step| (step.object, step.part))
                .collect(),
            checks,
            schemas: catalog
                .objects
                .iter()
                .enumerate()
                .filter(|(_, object)| object.address.0 == Class::Schema)
                .map(|(position, object)| (object.name.as_str(), position))
                .collect(),
        }
    }

    /// The object at an address.
    fn at(&self, address: Address) -> Option<&'a Object> {
        self.positions
            .get(&address)
            .map(|&position| &self.catalog.objects[position])
    }

    /// The relation with this oid, quoted and qualified.
    fn relation_name(&self, oid: u32) -> String {
        self.at(Address(Class::Relation, oid))
            .map_or_else(|| oid.to_string(), names::qualified)
    }

    /// Writes one step: the object's part, and with its first one the owner and the comments.
    fn step(&mut self, number: usize, step: &Step) {
        let object = &self.catalog.objects[step.object];
        let mut depends: BTreeSet<u32> = step
            .depends
            .iter()
            .flat_map(|&need| self.provided[need].iter().copied())
            .collect();
        // A query needs the rights to read what it reads.
        depends.extend(
            step.reads
                .iter()
                .filter_map(|read| self.granted.get(read))
                .flatten()
                .copied(),
        );
        let depends: Vec<u32> = depends.into_iter().collect();
        self.provided[number].clone_from(&depends);
        if step.inline {
            return;
        }
        let sql = self.text(step.object, step.part);
        let makes = matches!(step.part, Part::Whole | Part::DummyView)
            && !self.made.contains_key(&step.object);
        if !sql.is_empty() {
            let (kind, name) = part_title(object, step.part);
            let draft = Draft {
                stage: step.stage,
                aspect: match step.part {
                    Part::Refresh => Aspect::Data,
                    _ => Aspect::Definition,
                },
                kind,
                name,
                depends,
                text: Some(sql),
            };
            let undo = self.undo(object, step.part);
            let id = self.push(Some(step.object), draft);
            self.script.drops.extend(undo.map(|sql| (id, sql)));
            self.provided[number] = vec![id];
            if makes {
                self.made.insert(step.object, id);
            }
        }
        if matches!(object.definition, Definition::ExtensionData(_))
            && let Some(&extension) = self.provided[number].first()
        {
            // The extension's script is what makes it.
            self.made.entry(step.object).or_insert(extension);
        }
        if makes {
            self.decorate(step.object, step.stage, &self.provided[number].clone());
            // What stands in its table's text has its comment after the table.
            for check in self.inline_checks(object.address) {
                self.decorate(check, step.stage, &self.provided[number].clone());
            }
        }
    }

    /// Makes what was just written wait for all before it: an event trigger may forbid what a restore still has to do.
    fn after_everything(&mut self, number: usize) {
        let Some(&id) = self.provided[number].first() else {
            return;
        };
        let (before, from_here) = self.script.items.split_at_mut(id as usize);
        // What others wait for is done when they are.
        let needed: HashSet<u32> = before
            .iter()
            .flat_map(|item| item.depends.iter().copied())
            .collect();
        let leaves = before
            .iter()
            .filter(|item| item.stage == Stage::PostData && !needed.contains(&item.id))
            .map(|item| item.id);
        if let Some(item) = from_here.first_mut() {
            item.depends.extend(leaves);
            item.depends.sort_unstable();
            item.depends.dedup();
        }
    }

    fn is_inline(&self, position: usize) -> bool {
        self.inline.contains(&(position, Part::Whole))
    }

    /// CHECK constraints that are written within the statement of their table or domain.
    fn inline_checks(&self, parent: Address) -> Vec<usize> {
        let checks = self
            .checks_of(parent)
            .into_iter()
            .map(|(position, _)| position);
        checks
            .filter(|&position| self.is_inline(position))
            .collect()
    }

    /// Owner, comments and labels of an object, after what made it.
    fn decorate(&mut self, position: usize, stage: Stage, depends: &[u32]) {
        let object = &self.catalog.objects[position];
        let draft = |aspect, kind, name: String, text: String| Draft {
            stage,
            aspect,
            kind,
            name,
            depends: depends.to_vec(),
            text: Some(text),
        };
        if let Some(sql) = names::owner(object) {
            self.push(
                Some(position),
                draft(Aspect::Owner, object.kind(), object.full_name(), sql),
            );
        }
        for (kind, name, sql) in self.comments(object) {
            self.push(Some(position), draft(Aspect::Comment, kind, name, sql));
        }
        for sql in self.goes_with(object) {
            let name = object.full_name();
            self.push(
                Some(position),
                draft(Aspect::Definition, "extension dependency", name, sql),
            );
        }
        for (name, sql) in self.labels(object) {
            self.push(
                Some(position),
                draft(Aspect::SecurityLabel, object.kind(), name, sql),
            );
        }
        if let Definition::Relation(relation) = &object.definition {
            let mut settings = table::settings(object, relation);
            settings.extend(self.absent_defaults(object, relation));
            for (name, sql) in settings {
                self.push(
                    Some(position),
                    draft(Aspect::Definition, "table setting", name, sql),
                );
            }
        }
    }

    /// The SQL of one part of an object; empty where another statement brings it.
    fn text(&mut self, position: usize, part: Part) -> String {
        let object = &self.catalog.objects[position];
        match (&object.definition, part) {
            (Definition::Relation(relation), Part::Whole | Part::DummyView) => {
                self.relation(object, relation, part)
            }
            (Definition::Relation(relation), Part::Default(column)) => {
                self.separate_default(object, relation, column)
            }
            (Definition::Relation(relation), Part::Attach) => {
                self.attach_partition(object, relation)
            }
            (Definition::Relation(relation), Part::RowSecurity) => {
                table::row_security(object, relation)
            }
            (Definition::Relation(_), Part::Refresh) => {
                format!("REFRESH MATERIALIZED VIEW {};", names::qualified(object))
            }
            (Definition::Sequence(sequence), Part::OwnedBy) => self.owned_by(object, sequence),
            (Definition::Sequence(sequence), _) => self.sequence(object, sequence),
            (Definition::Index(index), Part::Attach) => self.attach_index(object, index),
            (Definition::Index(index), _) => self.index(object, index),
            (Definition::Constraint(constraint), _) => self.constraint(object, constraint),
            (Definition::Statistics(statistics), _) => children::statistics(object, statistics),
            (Definition::Rule(rule), _) => self.rule(object, rule),
            (Definition::Trigger(trigger), _) => self.trigger(object, trigger),
            (Definition::Policy(policy), _) => self.policy(object, policy),
            (_, Part::ShellType) => format!("CREATE TYPE {};", names::qualified(object)),
            (Definition::Domain(domain), _) => self.domain(object, domain),
            (Definition::Routine(routine), _) => routine::routine(routine),
            (Definition::Aggregate(aggregate), _) => routine::aggregate(object, aggregate),
            (Definition::Operator(operator), _) => routine::operator(object, operator),
            (Definition::Cast(cast), _) => routine::cast(cast),
            (Definition::Language(language), _) => routine::language(object, language),
            (Definition::UserMapping(mapping), _) => self.user_mapping(object, mapping),
            (Definition::Schema(_) | Definition::Extension(_), _) => tail::place(object),
            (definition, _) => {
                types::type_text(object, definition).unwrap_or_else(|| tail::text(object))
            }
        }
    }

    fn relation(&mut self, object: &'a Object, relation: &'a Relation, part: Part) -> String {
        match (relation.kind, part) {
            (RelationKind::View, Part::DummyView) => view::dummy(object, relation),
            (RelationKind::View, _) => {
                let replace = self
                    .positions
                    .get(&object.address)
                    .is_some_and(|position| self.made.contains_key(position));
                view::view(object, relation, replace)
            }
            (RelationKind::MaterializedView, _) => view::materialized(object, relation),
            _ => self.table(object, relation),
        }
    }

    /// Numbers an item and keeps its text.
    fn push(&mut self, about: Option<usize>, draft: Draft<'_>) -> u32 {
        let id = u32::try_from(self.script.items.len()).unwrap_or(u32::MAX);
        let object = about.map(|position| &self.catalog.objects[position]);
        let owner = object.and_then(|object| {
            let parent = || {
                object
                    .parent()
                    .and_then(|parent| self.at(parent))
                    .and_then(|parent| parent.owner.clone())
            };
            object.owner.clone().or_else(parent)
        });
        let item = Item {
            id,
            stage: draft.stage,
            aspect: draft.aspect,
            kind: draft.kind.to_owned(),
            schema: object.and_then(|object| object.schema.clone()),
            name: draft.name,
            table: None,
            owner,
            depends: draft.depends,
            place: None,
            data: None,
        };
        if let Some(text) = draft.text.filter(|_| self.keeps_texts) {
            let what = match item.aspect {
                Aspect::Owner => "owner of ",
                Aspect::Acl => "privileges on ",
                Aspect::Comment => "comment on ",
                Aspect::SecurityLabel => "security label on ",
                _ => "",
            };
            let title = quote::in_comment(&item.title());
            let text = format!("-- {what}{title}\n{}\n\n", text.trim_end());
            self.script.definitions.push((id, text.into()));
        }
        self.script.items.push(item);
        self.about.push(about);
        id
    }

    /// Fills in which table each item belongs to: some stand before their table.
    fn finish(mut self) -> Script {
        let tables: Vec<Option<u32>> = (self.about.iter())
            .map(|about| self.made.get(&self.table_of((*about)?)?).copied())
            .collect();
        for (item, table) in self.script.items.iter_mut().zip(tables) {
            item.table = table;
        }
        self.script.items.shrink_to_fit();
        self.script
    }

    /// The table that this is, or belongs to.
    fn table_of(&self, position: usize) -> Option<usize> {
        let object = &self.catalog.objects[position];
        match &object.definition {
            Definition::Relation(_) | Definition::ExtensionData(_) => Some(position),
            _ => object
                .parent()
                .filter(|parent| parent.0 == Class::Relation)
                .and_then(|parent| self.positions.get(&parent).copied()),
        }
    }

    fn problem(&mut self, kind: ProblemKind, object: &Object, message: &str, hint: Option<&str>) {
        self.script.problems.push(Problem {
            kind,
            object: object.title(),
            message: message.to_owned(),
            hint: hint.map(str::to_owned),
        });
    }
}

/// The item of a part: its kind and name.
fn part_title(object: &Object, part: Part) -> (&'static str, String) {
    let kind = match part {
        Part::Default(_) => "default",
        Part::OwnedBy => "sequence owner",
        Part::Attach if matches!(object.definition, Definition::Index(_)) => "index partition",
        Part::Attach => "partition",
        Part::RowSecurity => "row security",
        Part::Refresh => "materialized view data",
        Part::ShellType => "shell type",
        Part::Whole | Part::DummyView => object.kind(),
    };
    match (&object.definition, part) {
        (Definition::Relation(relation), Part::Default(column)) => (
            kind,
            format!("{}.{}", object.name, relation.columns[column].name),
        ),
        _ => (kind, object.full_name()),
    }
}
