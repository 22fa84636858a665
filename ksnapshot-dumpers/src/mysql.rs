//! MySQL 5.7 to 9, and MariaDB 10.5 to 11.

mod connect;
mod error;
mod quote;
mod script;
mod version;

pub use connect::MySql;
