//! What a scope leaves of a script: rows alone, or definitions without owners or grants.

use std::collections::HashMap;

use super::*;
use crate::Scope;

impl Script {
    /// Leaves out what `scope` doesn't want. The catalog keeps it: what is restored is found there by what it is.
    pub(crate) fn only(self, scope: &Scope) -> Self {
        let script = self.keep(|item| match item.aspect {
            Aspect::Owner => !scope.postgres.no_owner,
            Aspect::Acl => !scope.postgres.no_privileges,
            _ => true,
        });
        match scope.postgres.data_only {
            true => script.data_only(),
            false => script,
        }
    }

    /// Rows, values and large objects, and what is known of rows. Rows stand for the table to which they belong.
    fn data_only(mut self) -> Self {
        let rows: HashMap<u32, u32> = (self.tables.iter())
            .filter_map(|table| Some((self.items[table.item as usize].table?, table.item)))
            .collect();
        for item in &mut self.items {
            item.table = item.table.and_then(|table| rows.get(&table).copied());
        }
        // Rows that are not read are told of where they are planned.
        self.problems.clear();
        self.keep(|item| {
            item.aspect == Aspect::Data
                || [LARGE_OBJECTS, PLANNER_STATISTICS].contains(&&*item.kind)
        })
    }

    /// Numbers anew what is kept. Nothing that is kept waits any more for what is not.
    fn keep(mut self, kept: impl Fn(&Item) -> bool) -> Self {
        let mut numbers = HashMap::new();
        let mut globals = 0;
        for item in &self.items {
            if kept(item) {
                let number = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
                numbers.insert(item.id, number);
                globals += usize::from((item.id as usize) < self.globals);
            }
        }
        let number = |id: &mut u32| match numbers.get(id) {
            Some(&found) => {
                *id = found;
                true
            }
            None => false,
        };
        self.globals = globals;
        self.items.retain_mut(|item| {
            item.depends.retain_mut(number);
            item.table = item.table.and_then(|table| numbers.get(&table).copied());
            number(&mut item.id)
        });
        self.definitions.retain_mut(|(id, _)| number(id));
        self.renumber(number);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PostgresScope;

    /// An item of the table that the first one makes.
    fn item(id: u32, stage: Stage, aspect: Aspect, depends: &[u32]) -> Item {
        Item {
            table: Some(0),
            depends: depends.to_vec(),
            ..super::super::item(id, stage, aspect, "t")
        }
    }

    fn script() -> Script {
        Script {
            items: vec![
                item(0, Stage::PreData, Aspect::Definition, &[]),
                item(1, Stage::PreData, Aspect::Owner, &[0]),
                item(2, Stage::Data, Aspect::Data, &[0]),
                item(3, Stage::PostData, Aspect::Acl, &[0, 1]),
            ],
            definitions: [0, 1, 3].map(|id| (id, id.to_string().into())).into(),
            drops: vec![(0, "drop".into())],
            tables: vec![TableData {
                item: 2,
                ..TableData::plain("s.t", &[])
            }],
            ..Script::default()
        }
    }

    #[test]
    fn owners_and_grants_are_left_out() {
        let script = script().only(&Scope {
            postgres: PostgresScope {
                no_owner: true,
                ..PostgresScope::default()
            },
            ..Scope::default()
        });
        let found: Vec<_> = (script.items.iter())
            .map(|item| (item.id, item.aspect, &item.depends[..]))
            .collect();
        assert_eq!(
            found,
            [
                (0, Aspect::Definition, &[][..]),
                (1, Aspect::Data, &[0]),
                (2, Aspect::Acl, &[0]),
            ]
        );
        assert_eq!(script.definitions, [(0, "0".into()), (2, "3".into())]);
        assert_eq!(script.tables[0].item, 1);
    }

    #[test]
    fn of_rows_alone_each_is_its_own_table() {
        let script = script().only(&Scope {
            postgres: PostgresScope {
                data_only: true,
                ..PostgresScope::default()
            },
            ..Scope::default()
        });
        let [rows] = &script.items[..] else {
            panic!("{:?}", script.items);
        };
        assert_eq!(
            (rows.id, rows.table, &rows.depends[..]),
            (0, Some(0), &[][..])
        );
        assert_eq!((script.definitions.len(), script.drops.len()), (0, 0));
    }
}
