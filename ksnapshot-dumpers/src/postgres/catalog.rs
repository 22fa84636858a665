//! Reads what a database defines into the model.
//!
//! The server hands every row over as JSON, so that one serde shape is both how a kind is read and how it stands in
//! the index. The number of queries is fixed: it grows with the kinds, never with the objects.

use std::collections::{BTreeMap, HashMap};

use futures_util::TryStreamExt;
use ksnapshot_core::{Cx, Error, ErrorKind, Problem, ProblemKind, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde::de::value::MapDeserializer;
use serde_json::value::RawValue;
use sqlx::{PgConnection, Row};

use super::error::{classify, sqlstate};
use super::model::{Access, Address, Catalog, Class, Definition, Object};
use super::query::each;
use super::version::ServerVersion;
use crate::Scope;

pub(crate) use planner::planner_statistics;

mod access;
mod attach;
mod children;
mod database;
mod depend;
mod globals;
mod lock;
mod members;
mod methods;
mod planner;
mod relations;
mod replication;
mod routines;
mod search;
mod tail;
mod types;

/// Objects in these schemas belong to the server.
const USER_SCHEMA: &str = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";

/// Oids below are given at the birth of the server, never to what a user makes.
pub(crate) const FIRST_USER_OID: u32 = 16384;

/// Reads the definitions of the database, inside the caller's transaction, whose session is set up for dumping: one
/// snapshot, empty `search_path`.
///
/// Every table that may be read is locked in ACCESS SHARE mode first: the server's functions that write definitions
/// look at the present, not at the snapshot. A table without the right to read it is no error, it is marked as not
/// readable. A table that was dropped or altered before its lock was reached is an error that names it, of
/// [`ErrorKind::Conflict`].
///
/// Of `scope` only this counts here: what needs no lock because it is left out, how long locks may take, and whether what
/// all databases share is read, too.
pub(crate) async fn read(
    conn: &mut PgConnection,
    version: ServerVersion,
    scope: &Scope,
    cx: &Cx,
) -> Result<Catalog> {
    let lock::Locked { readable, names } = lock::lock(conn, version, scope, cx).await?;
    let mut reader = Reader {
        conn,
        version,
        names,
    };
    let mut problems = Vec::new();

    let mut objects = tail::schemas(&mut reader).await?;
    objects.extend(tail::extensions(&mut reader).await?);
    objects.extend(types::read(&mut reader).await?);
    objects.extend(routines::read(&mut reader).await?);
    objects.extend(relations::relations(&mut reader, &readable).await?);
    objects.extend(relations::sequences(&mut reader).await?);
    objects.extend(children::read(&mut reader).await?);
    objects.extend(tail::read(&mut reader).await?);
    objects.extend(search::read(&mut reader).await?);
    objects.extend(methods::read(&mut reader).await?);
    objects.extend(replication::read(&mut reader, &mut problems).await?);
    objects.extend(members::read(&mut reader, &readable).await?);

    attach::comments(&mut reader, &mut objects, &mut problems).await?;
    let mut large_objects = access::large_objects(&mut reader).await?;
    attach::labels(&mut reader, &mut objects, &mut large_objects).await?;
    attach::extensions(&mut reader, &mut objects).await?;
    let edges = depend::edges(&mut reader, &objects).await?;
    let default_privileges = access::default_privileges(&mut reader).await?;
    let globals = match scope.globals {
        true => Some(globals::read(&mut reader, &mut problems).await?),
        false => None,
    };
    let properties = database::properties(&mut reader).await?;
    vanished(&objects)?;
    objects.sort_by_key(|object| object.address);
    let mut catalog = Catalog {
        version,
        properties,
        objects,
        edges,
        large_objects,
        default_privileges,
        problems,
        data_only: false,
        globals,
        planner: Vec::new(),
    };
    catalog.shrink();
    Ok(catalog)
}

/// The server's functions answer NULL for what was dropped after the snapshot.
fn vanished(objects: &[Object]) -> Result<()> {
    let gone = objects.iter().find(|object| match &object.definition {
        Definition::Routine(routine) => routine.text.is_none(),
        Definition::Constraint(constraint) => constraint.text.is_none(),
        Definition::Index(index) => index.text.is_none(),
        Definition::Statistics(statistics) => statistics.text.is_none(),
        Definition::Rule(rule) => rule.text.is_none(),
        Definition::Trigger(trigger) => trigger.text.is_none(),
        Definition::Relation(relation) => {
            relation.rule.is_some()
                && relation
                    .query
                    .as_deref()
                    .is_none_or(|query| query.trim().is_empty())
        }
        _ => false,
    });
    match gone {
        Some(object) => Err(changed(&object.title(), "dropped while it was being read")),
        None => Ok(()),
    }
}

/// Somebody altered the database in the short time before the locks: with a new view it is of one moment again.
fn changed(title: &str, how: &str) -> Error {
    Error::new(ErrorKind::Conflict, format!("{title}: {how}"))
        .hint("Run the dump again; it must not meet other sessions that change definitions while it starts.")
}

/// Asks the server, one kind at a time.
struct Reader<'c> {
    conn: &'c mut PgConnection,
    version: ServerVersion,
    names: HashMap<u32, String>,
}

/// What every object's row starts with.
#[derive(Deserialize)]
struct Head {
    oid: u32,
    #[serde(default)]
    schema: Option<String>,
    name: String,
    #[serde(default)]
    owner: Option<String>,
    #[serde(default)]
    access: Option<Access>,
}

impl Head {
    const COLUMNS: [&str; 5] = ["oid", "schema", "name", "owner", "access"];
}

/// A row whose columns named `first` are those of `A`, and all others those of `B`. Nothing of it is copied but what both keep.
fn parted<'r, A: Deserialize<'r>, B: Deserialize<'r>>(
    row: &'r str,
    first: &[&str],
) -> serde_json::Result<(A, serde_json::Result<B>)> {
    let columns: BTreeMap<&str, &RawValue> = serde_json::from_str(row)?;
    let (first, others): (Vec<_>, Vec<_>) =
        (columns.into_iter()).partition(|(name, _)| first.contains(name));
    let read = |columns: Vec<_>| MapDeserializer::new(columns.into_iter());
    Ok((A::deserialize(read(first))?, B::deserialize(read(others))))
}

impl Reader<'_> {
    /// All rows of a query. `what` names it in errors.
    async fn rows<T: DeserializeOwned>(&mut self, what: &str, query: &str) -> Result<Vec<T>> {
        self.each(what, query, |row| {
            serde_json::from_str(row).map_err(|error| unexpected(what, error))
        })
        .await
    }

    /// … each read from its JSON as it comes: the server goes on meanwhile.
    async fn each<T>(
        &mut self,
        what: &str,
        query: &str,
        mut read: impl FnMut(&str) -> Result<T>,
    ) -> Result<Vec<T>> {
        let sql = format!("SELECT pg_catalog.row_to_json(x)::text FROM ({query}) x");
        let mut rows = each(self.conn, &sql);
        let mut all = Vec::new();
        let next = |error| failed(what, &self.names, error);
        while let Some(row) = rows.try_next().await.map_err(next)? {
            all.push(read(row.try_get(0).map_err(next)?)?);
        }
        Ok(all)
    }

    /// Objects of one kind: the query's columns are those of [`Head`] and of `T`.
    async fn objects<T: DeserializeOwned>(
        &mut self,
        class: Class,
        what: &str,
        query: &str,
        wrap: impl Fn(T) -> Definition,
    ) -> Result<Vec<Object>> {
        self.each(what, query, |row| {
            let (head, special): (Head, _) =
                parted(row, &Head::COLUMNS).map_err(|error| unexpected(what, error))?;
            let special: T = special.map_err(|error| {
                unexpected(what, error).context(format!("{} (oid {})", head.name, head.oid))
            })?;
            Ok(Object {
                address: Address(class, head.oid),
                schema: head.schema,
                name: head.name,
                owner: head.owner,
                access: head.access,
                comment: None,
                labels: Vec::new(),
                goes_with: Vec::new(),
                definition: wrap(special),
            })
        })
        .await
    }
}

fn failed(what: &str, names: &HashMap<u32, String>, error: sqlx::Error) -> Error {
    let database = match (error.as_database_error(), sqlstate(&error)) {
        // The connection is gone, or the server ends it.
        (None, _) | (_, Some("57P01" | "57P02" | "57P03")) => {
            return classify(error).context(format!("reading {what} from the catalogs"));
        }
        (Some(database), _) => database,
    };
    // What was dropped since the snapshot, the server's functions know by oid alone.
    let gone = database
        .message()
        .strip_prefix("could not open relation with OID ");
    if let Some(oid) = gone.and_then(|oid| oid.parse::<u32>().ok()) {
        let title = names.get(&oid).map_or_else(
            || format!("relation with oid {oid}"),
            |name| format!("relation {name}"),
        );
        return changed(&title, "dropped while it was being read").source(error);
    }
    let failure = Error::new(
        ErrorKind::Failed,
        format!("reading {what} from the catalogs failed"),
    );
    match database.code().as_deref() {
        // Internal errors come from looking up what is gone.
        Some("XX000") => failure
            .with_kind(ErrorKind::Conflict)
            .hint("Run the dump again; other sessions may have changed definitions meanwhile."),
        Some("55P03") => failure.hint(
            "Somebody has locked what a view, an index or a sequence needs: give more time with --lock-timeout.",
        ),
        Some("42501") => {
            failure.hint("The role may not even read the catalogs; dump as another one.")
        }
        _ => failure,
    }
    .source(error)
}

fn unexpected(what: &str, error: serde_json::Error) -> Error {
    Error::new(
        ErrorKind::Failed,
        format!("reading {what} from the catalogs: the server's answer has another shape"),
    )
    .source(error)
}

/// Objects that extensions bring are theirs to create.
fn not_of_extension(class: Class, oid: &str) -> String {
    format!(
        "NOT EXISTS (SELECT FROM pg_depend ext WHERE ext.classid = {} AND ext.objid = {oid} AND ext.deptype = 'e')",
        class as u32
    )
}

/// Positions of objects by their addresses.
fn positions(objects: &[Object]) -> HashMap<Address, usize> {
    objects
        .iter()
        .enumerate()
        .map(|(position, object)| (object.address, position))
        .collect()
}

fn unsupported_problem(object: String, message: &str) -> Problem {
    Problem {
        kind: ProblemKind::Unsupported,
        object,
        message: message.to_owned(),
        hint: None,
    }
}

/// A list of [`super::model::Setting`]s, from keywords and SQL expressions; an expression that is NULL leaves its
/// line out.
fn settings(list: &[(&str, &str)]) -> String {
    let items: Vec<_> = list
        .iter()
        .map(|(name, value)| {
            format!("pg_catalog.json_build_object('name', '{name}', 'value', {value})")
        })
        .collect();
    format!(
        "pg_catalog.json_build_array({})",
        items.join(",\n            ")
    )
}
