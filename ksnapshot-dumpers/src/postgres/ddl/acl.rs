//! Privileges: the difference between what is granted and what the kind of object starts with.

use super::*;
use crate::postgres::model::{Access, DefaultPrivileges, Member, Privilege};
use crate::postgres::quote::ident;

/// What privileges are on.
pub(super) struct Target {
    /// Before GRANT or REVOKE: `ALTER DEFAULT PRIVILEGES FOR ROLE x `, or nothing.
    prefix: String,
    /// After ON.
    on: String,
    /// A column, whose name goes with each privilege.
    column: Option<String>,
    /// The database that the statement runs in.
    database: bool,
}

impl Target {
    /// An object: `TABLE public.orders`.
    pub(super) fn object(on: &str) -> Self {
        Self {
            prefix: String::new(),
            on: on.to_owned(),
            column: None,
            database: false,
        }
    }

    /// The database, whatever its name will be.
    pub(super) fn database() -> Self {
        Self {
            database: true,
            ..Self::object("")
        }
    }

    fn statement(&self, what: &str, whom: &str) -> String {
        match self.database {
            true => database::statement(&format!("{what} ON DATABASE "), whom),
            false => format!("{}{what} ON {}{whom};", self.prefix, self.on),
        }
    }
}

/// What one role granted another: one entry of the catalog's list.
#[derive(PartialEq, Eq)]
struct Grant<'a> {
    grantor: &'a str,
    grantee: Option<&'a str>,
    privileges: Vec<(&'a str, bool)>,
}

/// The statements that turn the first privileges into the granted ones. Grants keep their order, since one may rest
/// on the grant option of another.
pub(super) fn statements(access: &Access, owner: &str, target: &Target) -> String {
    let granted = grants(&access.granted);
    let initial = grants(&access.initial);
    let mut sql = Vec::new();
    for gone in initial.iter().filter(|grant| !granted.contains(grant)) {
        let privileges: Vec<_> = gone.privileges.iter().map(|(name, _)| *name).collect();
        let list = list(&privileges, target);
        let whom = format!(" FROM {}", role(gone.grantee));
        sql.push(target.statement(&format!("REVOKE {list}"), &whom));
    }
    for new in granted.iter().filter(|grant| !initial.contains(grant)) {
        let foreign = new.grantor != owner;
        if foreign {
            sql.push(format!("SET SESSION AUTHORIZATION {};", ident(new.grantor)));
        }
        for (grantable, option) in [(false, ""), (true, " WITH GRANT OPTION")] {
            let privileges: Vec<_> = new
                .privileges
                .iter()
                .filter(|(_, may)| *may == grantable)
                .map(|(name, _)| *name)
                .collect();
            if !privileges.is_empty() {
                let list = list(&privileges, target);
                let whom = format!(" TO {}{option}", role(new.grantee));
                sql.push(target.statement(&format!("GRANT {list}"), &whom));
            }
        }
        if foreign {
            sql.push("RESET SESSION AUTHORIZATION;".to_owned());
        }
    }
    sql.join("\n")
}

fn role(grantee: Option<&str>) -> String {
    grantee.map_or_else(|| "PUBLIC".to_owned(), ident)
}

/// Privileges by name, never `ALL`: a newer server has more of them, which nobody granted or took.
fn list(privileges: &[&str], target: &Target) -> String {
    match &target.column {
        Some(column) => privileges
            .iter()
            .map(|privilege| format!("{privilege}({column})"))
            .collect::<Vec<_>>()
            .join(", "),
        None => privileges.join(", "),
    }
}

/// The catalog's entries, put together again.
fn grants(privileges: &[Privilege]) -> Vec<Grant<'_>> {
    let mut grants: Vec<Grant<'_>> = Vec::new();
    for each in privileges {
        let one = (each.privilege.as_str(), each.grantable);
        match grants.last_mut() {
            Some(last)
                if last.grantor == each.grantor && last.grantee == each.grantee.as_deref() =>
            {
                last.privileges.push(one);
            }
            _ => grants.push(Grant {
                grantor: &each.grantor,
                grantee: each.grantee.as_deref(),
                privileges: vec![one],
            }),
        }
    }
    grants
}

/// As GRANT calls the object; none for kinds without privileges.
fn target(object: &Object) -> Option<String> {
    let name = names::qualified(object);
    Some(match &object.definition {
        Definition::Schema(_) => format!("SCHEMA {name}"),
        Definition::Language(_) => format!("LANGUAGE {name}"),
        Definition::Enum(_)
        | Definition::Composite(_)
        | Definition::Domain(_)
        | Definition::Range(_)
        | Definition::BaseType(_)
        | Definition::ShellType(_) => format!("TYPE {name}"),
        Definition::Routine(routine) if routine.kind == "p" => {
            format!("PROCEDURE {name}({})", routine.arguments)
        }
        Definition::Routine(routine) => format!("FUNCTION {name}({})", routine.arguments),
        Definition::Aggregate(aggregate) => format!("FUNCTION {name}({})", aggregate.types),
        Definition::ForeignDataWrapper(_) => format!("FOREIGN DATA WRAPPER {name}"),
        Definition::ForeignServer(_) => format!("FOREIGN SERVER {name}"),
        Definition::Relation(_) => format!("TABLE {name}"),
        Definition::Sequence(_) => format!("SEQUENCE {name}"),
        Definition::ExtensionData(data) if data.sequence => format!("SEQUENCE {name}"),
        Definition::ExtensionData(_) => format!("TABLE {name}"),
        Definition::Member(Member {
            word,
            arguments: Some(arguments),
            ..
        }) => format!("{word} {name}({arguments})"),
        Definition::Member(member) => format!("{} {name}", member.word),
        _ => return None,
    })
}

impl Writer<'_> {
    /// Privileges of everything, in the order in which it was made; then what future objects start with.
    pub(super) fn privileges(&mut self, steps: &[Step]) {
        for step in steps.iter().filter(|step| step.part == Part::Whole) {
            let object = &self.catalog.objects[step.object];
            let owner = object.owner.as_deref().unwrap_or_default();
            let Some(on) = target(object) else { continue };
            if let Some(access) = &object.access {
                let sql = statements(access, owner, &Target::object(&on));
                self.grant(step.object, object.kind(), object.full_name(), sql);
            }
            if let Definition::Relation(relation) = &object.definition {
                for column in &relation.columns {
                    self.column_privileges(
                        step.object,
                        &on,
                        owner,
                        &column.name,
                        column.access.as_ref(),
                    );
                }
            }
            let columns = match &object.definition {
                Definition::Member(member) => member.columns.as_slice(),
                Definition::ExtensionData(data) => data.granted.as_slice(),
                _ => &[],
            };
            for column in columns {
                self.column_privileges(
                    step.object,
                    &on,
                    owner,
                    &column.name,
                    column.access.as_ref(),
                );
            }
        }
        self.large_object_privileges();
        for default in &self.catalog.default_privileges {
            self.default_privileges(default);
        }
    }

    fn column_privileges(
        &mut self,
        position: usize,
        on: &str,
        owner: &str,
        column: &str,
        access: Option<&Access>,
    ) {
        let Some(access) = access else { return };
        let target = Target {
            prefix: String::new(),
            on: on.to_owned(),
            column: Some(ident(column)),
            database: false,
        };
        let name = format!("{}.{column}", self.catalog.objects[position].name);
        self.grant(position, "column", name, statements(access, owner, &target));
    }

    fn grant(&mut self, position: usize, kind: &'static str, name: String, sql: String) {
        if sql.is_empty() {
            return;
        }
        let mut depends: BTreeSet<u32> = self.made.get(&position).copied().into_iter().collect();
        // A role that passes on what it was granted must be able to reach the object; a column's grant may rest on
        // the table's.
        depends.extend(self.granted.get(&position).into_iter().flatten());
        let schema = self.catalog.objects[position].schema.as_deref();
        let schema = schema.and_then(|schema| self.schemas.get(schema));
        depends.extend(
            schema
                .and_then(|schema| self.granted.get(schema))
                .into_iter()
                .flatten(),
        );
        let depends = depends.into_iter().collect();
        let draft = Draft {
            stage: Stage::PostData,
            aspect: Aspect::Acl,
            kind,
            name,
            depends,
            text: Some(sql),
        };
        let id = self.push(Some(position), draft);
        self.granted.entry(position).or_default().push(id);
    }

    fn default_privileges(&mut self, default: &DefaultPrivileges) {
        let on = match default.kind.as_str() {
            "r" => "TABLES",
            "S" => "SEQUENCES",
            "f" => "FUNCTIONS",
            "T" => "TYPES",
            "n" => "SCHEMAS",
            "L" => "LARGE OBJECTS",
            _ => return,
        };
        let schema = default.schema.as_deref();
        let within = schema
            .map(|schema| format!("IN SCHEMA {} ", ident(schema)))
            .unwrap_or_default();
        let target = Target {
            prefix: format!(
                "ALTER DEFAULT PRIVILEGES FOR ROLE {} {within}",
                ident(&default.role)
            ),
            on: on.to_owned(),
            column: None,
            database: false,
        };
        let sql = statements(&default.access, &default.role, &target);
        if sql.is_empty() {
            return;
        }
        let back = Access {
            granted: default.access.initial.clone(),
            initial: default.access.granted.clone(),
        };
        let undo = drop::default_privileges(schema, &statements(&back, &default.role, &target));
        let made = schema.and_then(|schema| self.made.get(self.schemas.get(schema)?).copied());
        let name = format!("for {} on {}", default.role, on.to_lowercase());
        let draft = Draft {
            stage: Stage::PostData,
            aspect: Aspect::Acl,
            kind: "default privileges",
            name,
            depends: made.into_iter().collect(),
            text: Some(sql),
        };
        let id = self.push(None, draft);
        self.script.drops.push((id, undo));
        if let Some(item) = self.script.items.get_mut(id as usize) {
            item.schema = schema.map(str::to_owned);
            item.owner = Some(default.role.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `grantor grantee privilege`, a `*` after the privilege for the grant option, `-` for everybody.
    fn privileges(text: &str) -> Vec<Privilege> {
        text.lines()
            .map(|line| {
                let words: Vec<_> = line.split_whitespace().collect();
                Privilege {
                    grantor: words[0].to_owned(),
                    grantee: (words[1] != "-").then(|| words[1].to_owned()),
                    privilege: words[2].trim_end_matches('*').to_owned(),
                    grantable: words[2].ends_with('*'),
                }
            })
            .collect()
    }

    fn check(initial: &str, granted: &str, expect: &str) {
        let access = Access {
            granted: privileges(granted),
            initial: privileges(initial),
        };
        assert_eq!(
            statements(&access, "me", &Target::object("TABLE t")),
            expect
        );
    }

    #[test]
    fn only_the_difference_is_told() {
        check("me me SELECT", "me me SELECT", "");
        check(
            "me me SELECT",
            "me me SELECT\nme you SELECT",
            "GRANT SELECT ON TABLE t TO you;",
        );
        check(
            "me me SELECT\nme - USAGE",
            "me me SELECT",
            "REVOKE USAGE ON TABLE t FROM PUBLIC;",
        );
        check(
            "me me SELECT\nme me INSERT",
            "me me SELECT",
            "REVOKE SELECT, INSERT ON TABLE t FROM me;\nGRANT SELECT ON TABLE t TO me;",
        );
    }

    #[test]
    fn grant_options_and_what_rests_on_them_keep_their_order() {
        check(
            "me me SELECT",
            "me me SELECT\nme you SELECT*\nme you INSERT\nyou him SELECT",
            "GRANT INSERT ON TABLE t TO you;\nGRANT SELECT ON TABLE t TO you WITH GRANT OPTION;\n\
             SET SESSION AUTHORIZATION you;\nGRANT SELECT ON TABLE t TO him;\nRESET SESSION AUTHORIZATION;",
        );
    }

    #[test]
    fn a_column_goes_with_each_privilege() {
        let access = Access {
            granted: privileges("me you SELECT\nme you UPDATE"),
            initial: Vec::new(),
        };
        let target = Target {
            prefix: String::new(),
            on: "TABLE t".to_owned(),
            column: Some("\"A\"".to_owned()),
            database: false,
        };
        let sql = statements(&access, "me", &target);
        assert_eq!(sql, "GRANT SELECT(\"A\"), UPDATE(\"A\") ON TABLE t TO you;");
    }
}
