//! MySQL and MariaDB: values, chunks, and one moment by every rung.

#[path = "mysql/definitions.rs"]
mod definitions;
#[path = "mysql/logins.rs"]
mod logins;
#[path = "mysql/moment.rs"]
mod moment;
#[path = "../promises/mysql.rs"]
mod promises;
#[path = "mysql/rows.rs"]
mod rows;

use promises::{Dumped, dump, kinds, problems, stock, values};
