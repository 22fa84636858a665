//! Schemas, extensions, and the kinds that few databases have.

use super::*;
use crate::postgres::model::{Publication, TextSearch, UserMapping};
use crate::postgres::quote::{ident, idents, literal};

/// Schemas and extensions; nothing for those that every database has.
pub(super) fn place(object: &Object) -> String {
    let name = names::qualified(object);
    match &object.definition {
        Definition::Schema(schema) if !schema.built_in => format!("CREATE SCHEMA {name};"),
        Definition::Extension(extension) if !extension.built_in => {
            format!(
                "CREATE EXTENSION IF NOT EXISTS {name} WITH SCHEMA {};",
                ident(&extension.into)
            )
        }
        _ => String::new(),
    }
}

/// Everything else that is made by one statement of its own.
pub(super) fn text(object: &Object) -> String {
    let name = names::qualified(object);
    match &object.definition {
        Definition::Conversion(conversion) => {
            let default = if conversion.default { "DEFAULT " } else { "" };
            let (from, to) = (literal(&conversion.from), literal(&conversion.to));
            format!(
                "CREATE {default}CONVERSION {name} FOR {from} TO {to} FROM {};",
                conversion.function
            )
        }
        Definition::TextSearch(search) => text_search(object, search),
        Definition::ForeignDataWrapper(wrapper) => {
            let mut sql = format!("CREATE FOREIGN DATA WRAPPER {name}");
            for (word, function) in [
                ("HANDLER", &wrapper.handler),
                ("VALIDATOR", &wrapper.validator),
            ] {
                if let Some(function) = function {
                    sql.push_str(&format!(" {word} {function}"));
                }
            }
            format!("{sql}{};", table::foreign_options(" ", &wrapper.options))
        }
        Definition::ForeignServer(server) => {
            let mut sql = format!("CREATE SERVER {name}");
            if let Some(type_name) = &server.type_name {
                sql.push_str(&format!(" TYPE {}", literal(type_name)));
            }
            if let Some(version) = &server.version {
                sql.push_str(&format!(" VERSION {}", literal(version)));
            }
            let wrapper = ident(&server.wrapper);
            format!(
                "{sql} FOREIGN DATA WRAPPER {wrapper}{};",
                table::foreign_options(" ", &server.options)
            )
        }
        Definition::EventTrigger(trigger) => {
            let mut sql = format!("CREATE EVENT TRIGGER {name} ON {}", ident(&trigger.event));
            if !trigger.tags.is_empty() {
                let tags: Vec<_> = trigger.tags.iter().map(|tag| literal(tag)).collect();
                sql.push_str(&format!("\n    WHEN TAG IN ({})", tags.join(", ")));
            }
            sql.push_str(&format!("\n    EXECUTE FUNCTION {}();", trigger.function));
            if let Some(state) = children::state(&trigger.enabled) {
                sql.push_str(&format!("\nALTER EVENT TRIGGER {name} {state};"));
            }
            sql
        }
        Definition::Publication(publication) => self::publication(object, publication),
        Definition::Subscription(subscription) => format!(
            "CREATE SUBSCRIPTION {name} CONNECTION {} PUBLICATION {} WITH {};",
            literal(&subscription.connection),
            idents(subscription.publications.iter().map(String::as_str)),
            types::settings(&subscription.settings)
        ),
        Definition::AccessMethod(method) => {
            let kind = if method.kind == "t" { "TABLE" } else { "INDEX" };
            format!(
                "CREATE ACCESS METHOD {name} TYPE {kind} HANDLER {};",
                method.handler
            )
        }
        Definition::Transform(transform) => {
            let mut ways = Vec::new();
            ways.extend(
                transform
                    .from_sql
                    .as_ref()
                    .map(|function| format!("FROM SQL WITH FUNCTION {function}")),
            );
            ways.extend(
                transform
                    .to_sql
                    .as_ref()
                    .map(|function| format!("TO SQL WITH FUNCTION {function}")),
            );
            let language = ident(&transform.language);
            format!(
                "CREATE TRANSFORM FOR {} LANGUAGE {language} ({});",
                transform.type_name,
                ways.join(", ")
            )
        }
        Definition::OperatorFamily(family) => {
            let using = format!("OPERATOR FAMILY {name} USING {}", ident(&family.method));
            let mut sql = format!("CREATE {using};");
            if !family.members.is_empty() {
                sql.push_str(&format!(
                    "\nALTER {using} ADD\n    {};",
                    family.members.join(",\n    ")
                ));
            }
            sql
        }
        Definition::OperatorClass(class) => {
            let default = if class.default { " DEFAULT" } else { "" };
            let mut members: Vec<_> = class
                .storage
                .iter()
                .map(|storage| format!("STORAGE {storage}"))
                .collect();
            members.extend(class.members.iter().cloned());
            if members.is_empty() {
                // There must be something; this says nothing.
                members.push(format!("STORAGE {}", class.type_name));
            }
            format!(
                "CREATE OPERATOR CLASS {name}{default}\n    FOR TYPE {} USING {} FAMILY {} AS\n    {};",
                class.type_name,
                ident(&class.method),
                class.family,
                members.join(",\n    ")
            )
        }
        _ => String::new(),
    }
}

fn text_search(object: &Object, search: &TextSearch) -> String {
    let name = names::qualified(object);
    let word = object.kind().to_uppercase();
    let mut settings = search.settings.clone();
    if let Some(options) = search
        .options
        .as_ref()
        .filter(|options| !options.is_empty())
    {
        // Written by the server as `name = 'value', …`.
        if let Some(last) = settings.last_mut()
            && let Some(value) = &mut last.value
        {
            value.push_str(&format!(",\n    {options}"));
        }
    }
    let mut sql = format!("CREATE {word} {name} {};", types::settings(&settings));
    for mapping in &search.mappings {
        let dictionaries = mapping.dictionaries.join(", ");
        sql.push_str(&format!(
            "\nALTER {word} {name}\n    ADD MAPPING FOR {} WITH {dictionaries};",
            ident(&mapping.token)
        ));
    }
    sql
}

fn publication(object: &Object, publication: &Publication) -> String {
    let name = names::qualified(object);
    let mut sql = format!("CREATE PUBLICATION {name}");
    if publication.all_tables {
        sql.push_str(" FOR ALL TABLES");
    }
    sql.push_str(&format!(
        " WITH (publish = {}",
        literal(&publication.operations.join(", "))
    ));
    if publication.via_root {
        sql.push_str(", publish_via_partition_root = true");
    }
    if publication.generated == "s" {
        sql.push_str(", publish_generated_columns = stored");
    }
    sql.push_str(");");
    for table in &publication.tables {
        sql.push_str(&format!(
            "\nALTER PUBLICATION {name} ADD TABLE ONLY {}",
            table.name
        ));
        if let Some(columns) = &table.columns {
            sql.push_str(&format!(
                " ({})",
                idents(columns.iter().map(String::as_str))
            ));
        }
        if let Some(condition) = &table.condition {
            sql.push_str(&format!(" WHERE ({condition})"));
        }
        sql.push(';');
    }
    for schema in &publication.schemas {
        sql.push_str(&format!(
            "\nALTER PUBLICATION {name} ADD TABLES IN SCHEMA {};",
            ident(schema)
        ));
    }
    sql
}

impl Writer<'_> {
    pub(super) fn user_mapping(&mut self, object: &Object, mapping: &UserMapping) -> String {
        let role = mapping
            .role
            .as_deref()
            .map_or_else(|| "PUBLIC".to_owned(), ident);
        if mapping.options.is_none() {
            self.problem(
                ProblemKind::Unreadable,
                object,
                "its options may not be read; it is restored without them",
                Some("Dump as a superuser or as the owner of the server, or set the options after a restore."),
            );
        }
        let options = table::foreign_options(" ", mapping.options.as_deref().unwrap_or_default());
        format!(
            "CREATE USER MAPPING FOR {role} SERVER {}{options};",
            ident(&mapping.server)
        )
    }
}
