//! Stored programs before the rows; triggers, events and what must be last after them.

use ksnapshot_core::{Aspect, Stage};

use super::super::model::{Body, Database};
use super::program::{event_disabled, event_status, made, trigger_anywhere, without_definer};
use super::{Draft, Place, Writer, last};

impl Writer<'_> {
    fn definition(&self, text: String) -> String {
        if self.catalog.scope.skip_definer {
            without_definer(&text)
        } else {
            text
        }
    }

    fn program(
        &self,
        database: &Database,
        body: &Body,
        create: String,
        time_zone: Option<&str>,
    ) -> Option<String> {
        Some(made(database, body, &self.definition(create), time_zone))
    }

    /// Functions and procedures, packages before their bodies. The server looks at what they name when they run.
    pub(super) fn routines(&mut self) {
        for (d, database) in self.databases_numbered() {
            for (r, routine) in database.routines.iter().enumerate() {
                let package = (database.routines.iter().enumerate())
                    .find(|(_, other)| {
                        routine.kind == super::super::model::RoutineKind::PackageBody
                            && other.kind == super::super::model::RoutineKind::Package
                            && other.name == routine.name
                    })
                    .and_then(|(at, _)| self.routines.get(&(d, at)).copied());
                let text = self.program(database, &routine.body, routine.body.create.clone(), None);
                let item = self.push(
                    Place::Database(d),
                    Draft {
                        stage: Stage::PreData,
                        aspect: Aspect::Definition,
                        kind: routine.kind.words(),
                        database: Some(&database.name),
                        name: &routine.name,
                        table: None,
                        depends: self.made[d].into_iter().chain(package).collect(),
                        text,
                    },
                );
                self.routines.insert((d, r), item);
            }
        }
    }

    /// Those of one moment are made in the order in which they fire.
    pub(super) fn triggers(&mut self) {
        for (d, database) in self.databases_numbered() {
            let mut before: Option<(&str, &str, u32)> = None;
            for trigger in &database.triggers {
                let Some(t) = database.tables.iter().position(|t| t.name == trigger.table) else {
                    continue;
                };
                let definition = self.tables[&(d, t)].definition;
                let mut depends = vec![definition];
                if let Some((table, moment, item)) = before
                    && (table, moment) == (&trigger.table, &trigger.moment)
                {
                    depends.push(item);
                }
                let create = if self.catalog.single() {
                    trigger_anywhere(&trigger.name, &trigger.table, &trigger.body.create)
                } else {
                    trigger.body.create.clone()
                };
                let text = self.program(database, &trigger.body, create, None);
                let item = self.push(
                    self.place_of(d, t),
                    Draft {
                        stage: Stage::PostData,
                        aspect: Aspect::Definition,
                        kind: "trigger",
                        database: Some(&database.name),
                        name: &trigger.name,
                        table: Some(definition),
                        depends,
                        text,
                    },
                );
                before = Some((&trigger.table, &trigger.moment, item));
            }
        }
    }

    /// Events, which do not happen yet; then those that do, and databases that can't be changed any more.
    pub(super) fn events_and_last(&mut self) {
        let mut later = Vec::new();
        for (d, database) in self.databases_numbered() {
            for event in &database.events {
                let create = event_disabled(&event.body.create);
                let text = self.program(database, &event.body, create, Some(&event.time_zone));
                let item = self.push(
                    self.place_after(d),
                    Draft {
                        stage: Stage::PostData,
                        aspect: Aspect::Definition,
                        kind: "event",
                        database: Some(&database.name),
                        name: &event.name,
                        table: None,
                        depends: self.made[d].into_iter().collect(),
                        text,
                    },
                );
                if let Some(text) = event_status(database, event, self.catalog.scope.skip_definer) {
                    later.push((d, last::EVENT_STATUS, event.name.as_str(), vec![item], text));
                }
            }
        }
        for (d, database) in self.databases_numbered().filter(|(_, d)| d.read_only) {
            let text = "ALTER DATABASE READ ONLY = 1;".to_owned();
            let depends = self.made[d].into_iter().collect();
            later.push((d, last::READ_ONLY, database.name.as_str(), depends, text));
        }
        for (d, kind, name, depends, text) in later {
            let database = &self.catalog.databases[d];
            self.push(
                self.place_after(d),
                Draft {
                    stage: Stage::PostData,
                    aspect: Aspect::Definition,
                    kind,
                    database: Some(&database.name),
                    name,
                    table: None,
                    depends,
                    text: Some(text),
                },
            );
        }
    }
}
