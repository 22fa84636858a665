//! Users and roles, an object of their own.

use ksnapshot_core::{Aspect, Stage};

use super::{Draft, Place, Writer};

impl Writer<'_> {
    /// Before anything that may belong to one of them.
    pub(super) fn accounts(&mut self) {
        for account in &self.catalog.accounts {
            let item = self.push(
                Place::Globals,
                Draft {
                    stage: Stage::PreData,
                    aspect: Aspect::Definition,
                    kind: if account.role { "role" } else { "user" },
                    database: None,
                    name: &account.name,
                    table: None,
                    depends: Vec::new(),
                    text: Some(format!("{};", account.create)),
                },
            );
            self.accounts.push(item);
        }
    }

    /// After everything on which there may be a right.
    pub(super) fn grants(&mut self) {
        for (number, account) in self.catalog.accounts.iter().enumerate() {
            if account.grants.is_empty() {
                continue;
            }
            let grants: Vec<String> = account
                .grants
                .iter()
                .map(|grant| format!("{grant};"))
                .collect();
            self.push(
                Place::Globals,
                Draft {
                    stage: Stage::PostData,
                    aspect: Aspect::Acl,
                    kind: if account.role { "role" } else { "user" },
                    database: None,
                    name: &account.name,
                    table: None,
                    depends: self.accounts.get(number).copied().into_iter().collect(),
                    text: Some(grants.join("\n")),
                },
            );
        }
    }
}
