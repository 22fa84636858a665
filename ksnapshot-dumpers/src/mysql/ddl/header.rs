//! What frames a data object: the settings under which it is loaded.

use super::super::model::Catalog;
use super::super::quote::in_comment;
use super::super::version::Flavour;

/// The modes in which definitions and rows are replayed: 0 in an AUTO_INCREMENT column is 0, and no date is too strange that
/// the source took.
pub(in crate::mysql) const SQL_MODE: &str = "ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO";

/// Settings saved, changed and put back, as the stock programs do.
const SETTINGS: [(&str, &str); 5] = [
    ("time_zone", "'+00:00'"),
    ("unique_checks", "0"),
    ("foreign_key_checks", "0"),
    ("sql_mode", "'ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO'"),
    ("sql_notes", "0"),
];

/// The head of an object.
pub(super) fn header(catalog: &Catalog) -> String {
    let family = match catalog.server.flavour {
        Flavour::MySql => "MySQL",
        Flavour::MariaDb => "MariaDB",
    };
    let mut text = format!(
        "-- {family} database, dumped by {} from server {}\n",
        ksnapshot_core::TOOL,
        in_comment(&catalog.server_version)
    );
    for requirement in &catalog.requirements {
        text.push_str(&format!("-- Needs {}\n", in_comment(requirement)));
    }
    text.push_str(
        "
SET @old_character_set_client = @@character_set_client, @old_character_set_results = @@character_set_results,
    @old_collation_connection = @@collation_connection;
SET NAMES utf8mb4;
",
    );
    for (setting, value) in SETTINGS {
        text.push_str(&format!(
            "SET @old_{setting} = @@{setting}, {setting} = {value};\n"
        ));
    }
    if catalog.server.flavour == Flavour::MariaDb {
        // Checks held where the rows were made; some depend on what is not there yet.
        text.push_str("/*M!100502 SET @old_check_constraint_checks = @@check_constraint_checks, check_constraint_checks = 0 */;\n");
    }
    if catalog
        .databases
        .iter()
        .flat_map(|d| &d.tables)
        .any(|t| t.history)
    {
        text.push_str("/*M!101101 SET @old_system_versioning_insert_history = @@system_versioning_insert_history, system_versioning_insert_history = 1 */;\n");
    }
    text.push('\n');
    text
}

/// The end of an object.
pub(super) fn footer(catalog: &Catalog) -> String {
    let mut text = String::new();
    if catalog
        .databases
        .iter()
        .flat_map(|d| &d.tables)
        .any(|t| t.history)
    {
        text.push_str("/*M!101101 SET system_versioning_insert_history = @old_system_versioning_insert_history */;\n");
    }
    if catalog.server.flavour == Flavour::MariaDb {
        text.push_str(
            "/*M!100502 SET check_constraint_checks = @old_check_constraint_checks */;\n",
        );
    }
    for (setting, _) in SETTINGS.iter().rev() {
        text.push_str(&format!("SET {setting} = @old_{setting};\n"));
    }
    text.push_str(
        "SET character_set_client = @old_character_set_client, character_set_results = @old_character_set_results,
    collation_connection = @old_collation_connection;

-- Dumped to its end
",
    );
    text
}
