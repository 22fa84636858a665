//! What a database defines, as it was read: plain values, no SQL text of our own. Goes into the index, so that a
//! restore can reason about a snapshot without its text.

use ksnapshot_core::Problem;
use serde::{Deserialize, Serialize};

use super::version::ServerVersion;

mod database;
mod globals;
mod planner;
mod relation;
mod routine;
mod tail;
mod types;

pub(crate) use database::*;
pub(crate) use globals::*;
pub(crate) use planner::*;
pub(crate) use relation::*;
pub(crate) use routine::*;
pub(crate) use tail::*;
pub(crate) use types::*;

/// The version of this model, recorded in the index.
pub(crate) const MODEL_VERSION: u32 = 2;

/// Everything that one database defines, outside of what the server and extensions bring.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Catalog {
    /// The server it was read from.
    pub(crate) version: ServerVersion,
    /// The database itself.
    #[serde(default)]
    pub(crate) properties: Properties,
    /// The objects, in no order that matters.
    pub(crate) objects: Vec<Object>,
    /// Which object needs which: `pg_depend`, resolved to what is dumped. Sorted.
    pub(crate) edges: Vec<(Address, Address)>,
    /// Large objects, by the first oid of each group.
    pub(crate) large_objects: Vec<LargeObjects>,
    /// `ALTER DEFAULT PRIVILEGES`.
    pub(crate) default_privileges: Vec<DefaultPrivileges>,
    /// What was seen and can't be dumped.
    pub(crate) problems: Vec<Problem>,
    /// Only rows were dumped: what they go into is described here and stands nowhere else.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) data_only: bool,
    /// What all databases of the server share, if it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) globals: Option<Globals>,
    /// What the planner knew, if it was asked for; ascending by relation and column.
    #[serde(skip)]
    pub(crate) planner: Vec<PlannerText>,
}

impl Catalog {
    /// Gives back what lists have reserved: nobody said how long they would be, and most of it is in them.
    pub(super) fn shrink(&mut self) {
        self.objects.shrink_to_fit();
        for object in &mut self.objects {
            if let Definition::Relation(relation) = &mut object.definition {
                relation.columns.shrink_to_fit();
            }
        }
    }
}

/// The system catalog that an object lives in, with the oid that `pg_depend` calls it by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "u32", try_from = "u32")]
#[expect(clippy::enum_variant_names, reason = "an operator class is called so")]
pub(crate) enum Class {
    AccessMethod = 2601,
    AccessMethodOperator = 2602,
    AccessMethodRoutine = 2603,
    Cast = 2605,
    Collation = 3456,
    Constraint = 2606,
    Conversion = 2607,
    ColumnDefault = 2604,
    EventTrigger = 3466,
    Extension = 3079,
    ForeignDataWrapper = 2328,
    ForeignServer = 1417,
    Language = 2612,
    Operator = 2617,
    OperatorClass = 2616,
    OperatorFamily = 2753,
    Policy = 3256,
    Publication = 6104,
    PublicationRelation = 6106,
    PublicationSchema = 6237,
    Relation = 1259,
    Routine = 1255,
    Rule = 2618,
    Schema = 2615,
    Statistics = 3381,
    Subscription = 6100,
    TextSearchConfiguration = 3602,
    TextSearchDictionary = 3600,
    TextSearchParser = 3601,
    TextSearchTemplate = 3764,
    Transform = 3576,
    Trigger = 2620,
    Type = 1247,
    UserMapping = 1418,
}

impl Class {
    const ALL: &[Self] = &[
        Self::AccessMethod,
        Self::AccessMethodOperator,
        Self::AccessMethodRoutine,
        Self::Cast,
        Self::Collation,
        Self::Constraint,
        Self::Conversion,
        Self::ColumnDefault,
        Self::EventTrigger,
        Self::Extension,
        Self::ForeignDataWrapper,
        Self::ForeignServer,
        Self::Language,
        Self::Operator,
        Self::OperatorClass,
        Self::OperatorFamily,
        Self::Policy,
        Self::Publication,
        Self::PublicationRelation,
        Self::PublicationSchema,
        Self::Relation,
        Self::Routine,
        Self::Rule,
        Self::Schema,
        Self::Statistics,
        Self::Subscription,
        Self::TextSearchConfiguration,
        Self::TextSearchDictionary,
        Self::TextSearchParser,
        Self::TextSearchTemplate,
        Self::Transform,
        Self::Trigger,
        Self::Type,
        Self::UserMapping,
    ];

    /// The class with this oid, if it is one that is dumped.
    pub(crate) fn from_oid(oid: u32) -> Option<Self> {
        Self::ALL.iter().copied().find(|&class| class as u32 == oid)
    }
}

impl From<Class> for u32 {
    fn from(class: Class) -> Self {
        class as Self
    }
}

impl TryFrom<u32> for Class {
    type Error = String;

    fn try_from(oid: u32) -> Result<Self, Self::Error> {
        Self::from_oid(oid).ok_or_else(|| format!("no catalog with the oid {oid}"))
    }
}

/// Which object: its catalog and its oid there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Address(pub(crate) Class, pub(crate) u32);

/// One object with what all kinds have in common.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Object {
    /// Which it is on the source.
    pub(crate) address: Address,
    /// Its schema, where its kind has one; for what belongs to a table, the table's.
    pub(crate) schema: Option<String>,
    /// Its name, bare.
    pub(crate) name: String,
    /// The role that owns it, where its kind has an owner of its own.
    pub(crate) owner: Option<String>,
    /// Who may do what, if that isn't what its kind starts with.
    pub(crate) access: Option<Access>,
    /// Its comment.
    pub(crate) comment: Option<String>,
    /// Its security labels.
    pub(crate) labels: Vec<Label>,
    /// Extensions that it is to be dropped with, by its owner's wish.
    pub(crate) goes_with: Vec<String>,
    /// The rest, by kind.
    pub(crate) definition: Definition,
}

/// What is special to a kind of object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Definition {
    Schema(Schema),
    Extension(Extension),
    Language(Language),
    Collation(Collation),
    Enum(Enum),
    Composite(Composite),
    Domain(Domain),
    Range(Range),
    BaseType(BaseType),
    ShellType(ShellType),
    Routine(Routine),
    Aggregate(Aggregate),
    Cast(Cast),
    Operator(Operator),
    Conversion(Conversion),
    TextSearch(TextSearch),
    ForeignDataWrapper(ForeignDataWrapper),
    ForeignServer(ForeignServer),
    UserMapping(UserMapping),
    Relation(Box<Relation>),
    Sequence(Sequence),
    Constraint(Constraint),
    Index(Index),
    Statistics(Statistics),
    Rule(Rule),
    Trigger(Trigger),
    Policy(Policy),
    EventTrigger(EventTrigger),
    Publication(Publication),
    Subscription(Subscription),
    AccessMethod(AccessMethod),
    Transform(Transform),
    OperatorFamily(OperatorFamily),
    OperatorClass(OperatorClass),
    ExtensionData(ExtensionData),
    Member(Member),
}

/// Privileges as they are, and as the kind of object starts with them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Access {
    /// What is granted now, in the order of granting.
    pub(crate) granted: Vec<Privilege>,
    /// What is granted at birth.
    pub(crate) initial: Vec<Privilege>,
}

/// One privilege of one role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Privilege {
    /// Who granted it.
    pub(crate) grantor: String,
    /// Who has it; none is everybody.
    pub(crate) grantee: Option<String>,
    /// Its keyword: `SELECT`.
    pub(crate) privilege: String,
    /// May be passed on.
    pub(crate) grantable: bool,
}

/// What a label provider says of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Label {
    /// Number of the column; 0 is the object itself.
    pub(crate) column: i32,
    /// Who gave it.
    pub(crate) provider: String,
    /// What it says.
    pub(crate) label: String,
}

/// What objects of one role start with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct DefaultPrivileges {
    /// Its oid.
    pub(crate) oid: u32,
    /// The role whose new objects are meant.
    pub(crate) role: String,
    /// Only in this schema.
    pub(crate) schema: Option<String>,
    /// The kind, as the catalog abbreviates it: `r`, `S`, `f`, `T`, `n`, `L`.
    pub(crate) kind: String,
    /// The difference.
    pub(crate) access: Access,
}

/// Large objects that differ in their bytes and comments alone: there may be millions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct LargeObjects {
    /// Their oids, which is how rows refer to them; ascending.
    pub(crate) oids: Vec<u32>,
    /// The role that owns them.
    pub(crate) owner: String,
    /// Who may do what, if not only the owner.
    pub(crate) access: Option<Access>,
    /// Whether their bytes may be read.
    pub(crate) readable: bool,
    /// Comments of those that have one, by ascending oid.
    #[serde(default)]
    pub(crate) comments: Vec<(u32, String)>,
    /// What label providers say of some, by ascending oid.
    #[serde(default)]
    pub(crate) labels: Vec<(u32, Label)>,
}

impl LargeObjects {
    /// The group of this one.
    pub(crate) fn with(groups: &mut [Self], oid: u32) -> Option<&mut Self> {
        (groups.iter_mut()).find(|group| group.oids.binary_search(&oid).is_ok())
    }
}

impl Object {
    /// The kind of object, in the words of the database.
    pub(crate) fn kind(&self) -> &'static str {
        self.definition.kind(self.address.0)
    }

    /// The object as a person would name it.
    pub(crate) fn title(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{} {schema}.{}", self.kind(), self.full_name()),
            None => format!("{} {}", self.kind(), self.full_name()),
        }
    }

    /// The name within the schema, telling apart what shares a name.
    pub(crate) fn full_name(&self) -> String {
        match &self.definition {
            Definition::Routine(routine) => format!("{}({})", self.name, routine.arguments),
            Definition::Aggregate(aggregate) => format!("{}({})", self.name, aggregate.arguments),
            Definition::Member(Member {
                arguments: Some(arguments),
                ..
            }) => format!("{}({arguments})", self.name),
            Definition::Operator(operator) => format!(
                "{}({}, {})",
                self.name,
                operator.left.as_deref().unwrap_or("none"),
                operator.right.as_deref().unwrap_or("none")
            ),
            _ => self.name.clone(),
        }
    }

    /// What `pg_depend` calls by addresses of their own, though it is written with the object: a view's query, the defaults
    /// of columns.
    pub(crate) fn parts(&self) -> impl Iterator<Item = Address> {
        let relation = match &self.definition {
            Definition::Relation(relation) => Some(relation),
            _ => None,
        };
        let rule = relation.and_then(|relation| relation.rule);
        let columns = relation.into_iter().flat_map(|relation| &relation.columns);
        let defaults = columns.filter_map(|column| column.default.as_ref());
        (rule.into_iter().map(|oid| Address(Class::Rule, oid)))
            .chain(defaults.map(|default| Address(Class::ColumnDefault, default.oid)))
    }

    /// The relation or domain that it belongs to, if it can't be without one.
    pub(crate) fn parent(&self) -> Option<Address> {
        match &self.definition {
            Definition::Constraint(constraint) => Some(constraint.parent),
            Definition::Index(index) => Some(Address(Class::Relation, index.table)),
            Definition::Rule(rule) => Some(Address(Class::Relation, rule.table)),
            Definition::Trigger(trigger) => Some(Address(Class::Relation, trigger.table)),
            Definition::Policy(policy) => Some(Address(Class::Relation, policy.table)),
            Definition::Statistics(statistics) => Some(Address(Class::Relation, statistics.table)),
            Definition::Sequence(sequence) => sequence
                .owned_by
                .as_ref()
                .map(|owner| Address(Class::Relation, owner.table)),
            _ => None,
        }
    }
}

impl Definition {
    fn kind(&self, class: Class) -> &'static str {
        match self {
            Self::Schema(_) => "schema",
            Self::Extension(_) => "extension",
            Self::Language(_) => "language",
            Self::Collation(_) => "collation",
            Self::Domain(_) => "domain",
            Self::Enum(_)
            | Self::Composite(_)
            | Self::Range(_)
            | Self::BaseType(_)
            | Self::ShellType(_) => "type",
            Self::Routine(routine) if routine.kind == "p" => "procedure",
            Self::Routine(_) => "function",
            Self::Aggregate(_) => "aggregate",
            Self::Cast(_) => "cast",
            Self::Operator(_) => "operator",
            Self::Conversion(_) => "conversion",
            Self::TextSearch(_) => match class {
                Class::TextSearchConfiguration => "text search configuration",
                Class::TextSearchDictionary => "text search dictionary",
                Class::TextSearchParser => "text search parser",
                _ => "text search template",
            },
            Self::ForeignDataWrapper(_) => "foreign-data wrapper",
            Self::ForeignServer(_) => "server",
            Self::UserMapping(_) => "user mapping",
            Self::Relation(relation) => relation.kind.words(),
            Self::Sequence(_) => "sequence",
            Self::Constraint(constraint) => constraint.words(),
            Self::Index(_) => "index",
            Self::Statistics(_) => "statistics",
            Self::Rule(_) => "rule",
            Self::Trigger(_) => "trigger",
            Self::Policy(_) => "policy",
            Self::EventTrigger(_) => "event trigger",
            Self::Publication(_) => "publication",
            Self::Subscription(_) => "subscription",
            Self::AccessMethod(_) => "access method",
            Self::Transform(_) => "transform",
            Self::OperatorFamily(_) => "operator family",
            Self::OperatorClass(_) => "operator class",
            Self::ExtensionData(data) if data.sequence => "sequence",
            Self::ExtensionData(_) => "table",
            Self::Member(member) => member.words(),
        }
    }
}
