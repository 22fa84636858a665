//! Money that moves between two schemas, for what claims to be of one moment: see `tests/sql/mysql/bank.sql`.

use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::MySql;
use crate::testbed;

/// The schemas.
pub const SCHEMAS: [&str; 2] = ["bank_a", "bank_b"];

/// Who moves money, until this value is dropped: as many sessions as wanted, each with moves of its own.
#[derive(Debug)]
pub struct Mover<'a> {
    server: &'a MySql,
    /// Of its sessions alone.
    user: String,
    clients: Vec<Child>,
}

/// What a copy of the two schemas holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balance {
    /// The sum of all balances, as the server writes it.
    pub total: String,
    /// Moves that `bank_a` tells of.
    pub moves_a: u64,
    /// Moves that `bank_b` tells of.
    pub moves_b: u64,
    /// Moves that both tell of, with one amount.
    pub moves_both: u64,
}

impl Balance {
    /// Reads it.
    pub fn of(server: &MySql) -> Result<Self> {
        let rows = server.query(
            "select (select sum(balance) from bank_a.accounts) + (select sum(balance) from bank_a.vaults) \
                  + (select sum(balance) from bank_b.accounts) + (select sum(balance) from bank_b.vaults), \
                    (select count(*) from bank_a.moves), (select count(*) from bank_b.moves), \
                    (select count(*) from bank_a.moves a join bank_b.moves b using (mover, n, amount))",
        )?;
        let row = rows.into_iter().next().context("no row")?;
        let [total, a, b, both] = row.try_into().ok().context("four fields")?;
        Ok(Self {
            total,
            moves_a: a.parse()?,
            moves_b: b.parse()?,
            moves_both: both.parse()?,
        })
    }

    /// Whether all of it is of one moment.
    pub fn is_of_one_moment(&self) -> bool {
        self.total == "3276800.00"
            && self.moves_a == self.moves_b
            && self.moves_a == self.moves_both
    }
}

/// Fails unless what this server has of the two schemas is of one moment.
pub fn of_one_moment(server: &MySql) -> Result<()> {
    let balance = Balance::of(server)?;
    ensure!(
        balance.is_of_one_moment(),
        "not of one moment: {balance:?}, of 3276800.00 in all"
    );
    Ok(())
}

/// Makes the two schemas, full of accounts; removes what was there of them.
pub fn open(server: &MySql) -> Result<()> {
    server.load("", &testbed::sql("mysql/bank.sql"))
}

impl<'a> Mover<'a> {
    /// Starts moving money in so many sessions; returns when each has moved some.
    pub fn start(server: &'a MySql, sessions: u32) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let mut mover = Self {
            server,
            user: format!("mover{count}"),
            clients: Vec::new(),
        };
        let rights = SCHEMAS.map(|schema| format!("select, insert, update, execute on {schema}.*"));
        server.create_user(&mover.user, &rights.each_ref().map(String::as_str))?;
        let before = mover.moves()?;
        for number in (count * 100)..(count * 100 + sessions) {
            let mut client = server.program("mysql")?;
            // Else a client whose session was killed begins a new one.
            client.args(["--skip-reconnect", "-u", &mover.user]);
            client.args(["-e", &format!("call bank_a.move_on({number})")]);
            client
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            mover.clients.push(client.spawn().context("mysql")?);
        }
        testbed::until(Duration::from_secs(30), "moved money", || {
            Ok((mover.moves()? > before).then_some(()))
        })?;
        Ok(mover)
    }

    /// How many moves there were so far.
    pub fn moves(&self) -> Result<u64> {
        Ok(self
            .server
            .value("select count(*) from bank_b.moves")?
            .parse()?)
    }

    /// Stops, and waits until the server has undone what was not finished.
    pub fn stop(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        let user = &self.user;
        let sessions = format!("from information_schema.processlist where user = '{user}'");
        // A procedure goes on without its client: it's the session that has to end.
        for row in self.server.query(&format!("select id {sessions}"))? {
            let kill = format!("kill {}", row.join(""));
            // It may have ended just now.
            let _ = self.server.run(&kill);
        }
        for client in &mut self.clients {
            testbed::until(Duration::from_secs(60), "the end of a mover", || {
                Ok(client.try_wait()?)
            })?;
        }
        self.clients.clear();
        testbed::until(
            Duration::from_secs(60),
            "the end of a mover's session",
            || {
                let left = self.server.value(&format!("select count(*) {sessions}"))?;
                Ok((left == "0").then_some(()))
            },
        )
    }
}

impl Drop for Mover<'_> {
    fn drop(&mut self) {
        // A server that's gone has nobody who moves.
        let _ = self.end();
        for client in &mut self.clients {
            let _ = client.kill();
            let _ = client.wait();
        }
    }
}
