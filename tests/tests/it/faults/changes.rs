//! Others change definitions and rows while we dump: what is stored is of one moment, or there is no snapshot.

use std::io::Write;
use std::process::{Child, ChildStdin, Stdio};

use ksnapshot_tests::hold::Holder;
use ksnapshot_tests::{compare, copies};

use super::*;

/// Another session, in which a test speaks line by line.
pub(super) struct Other<'a> {
    db: &'a Db<'a>,
    psql: Child,
    input: Option<ChildStdin>,
}

impl<'a> Other<'a> {
    pub(super) fn new(db: &'a Db<'a>) -> Self {
        let mut psql = db.server.client("psql").unwrap();
        psql.args(["-XqAt", "-v", "ON_ERROR_STOP=1", "-d", &db.name]);
        psql.env("PGAPPNAME", "other")
            .stdin(Stdio::piped())
            .stdout(Stdio::null());
        let mut psql = psql.spawn().unwrap();
        let input = psql.stdin.take();
        Self { db, psql, input }
    }

    pub(super) fn say(&mut self, sql: &str) {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{sql};").unwrap();
        input.flush().unwrap();
    }

    /// Says it, and waits until it has been done and the session does nothing.
    pub(super) fn do_it(&mut self, sql: &str) {
        self.say(&format!("{sql}; set application_name = 'did it'"));
        let told = "select count(*) from pg_stat_activity where application_name = 'did it' and state like 'idle%' \
                    and datname = current_database()";
        self.until(told, "1");
        self.say("set application_name = 'other'");
        self.until(told, "0");
    }

    /// Waits for this answer.
    fn until(&self, sql: &str, answer: &str) {
        testbed::until(Duration::from_secs(20), sql, || {
            Ok((self.db.psql(sql)? == answer).then_some(()))
        })
        .unwrap();
    }

    /// Ends it, after all that it was told; its transaction goes with it.
    pub(super) fn end(mut self) {
        drop(self.input.take());
        assert!(self.psql.wait().unwrap().success());
    }
}

impl Drop for Other<'_> {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.psql.kill();
        let _ = self.psql.wait();
    }
}

/// Waits until a session with this name waits for a lock.
pub(super) fn await_waiting(db: &Db<'_>, application: &str) {
    let sql = format!(
        "select count(*) from pg_stat_activity where application_name = '{application}' \
         and wait_event_type = 'Lock' and datname = current_database()"
    );
    testbed::until(Duration::from_secs(20), "a session that waits", || {
        Ok((db.psql(&sql)? != "0").then_some(()))
    })
    .unwrap();
}

/// A dump that has all its locks and stands still in the middle of the rows.
fn held(db: &Db<'_>, to: &Path) -> (Holder, ksnapshot_tests::Running) {
    // One reader: what comes after the large table has not been looked at yet.
    held_with(db, |url| dump(url, to).args(["--jobs", "1"]))
}

fn held_with(
    db: &Db<'_>,
    dump: impl FnOnce(&str) -> Ksnapshot,
) -> (Holder, ksnapshot_tests::Running) {
    let holder = Holder::before(server().port(), Some(2_000_000)).unwrap();
    let url = format!(
        "postgres://postgres@127.0.0.1:{}/{}",
        holder.port(),
        db.name
    );
    let run = dump(&url).spawn().unwrap();
    holder.await_held().unwrap();
    (holder, run)
}

#[test]
fn a_drop_waits_for_the_dump() {
    let db = server().fresh_db("drop").unwrap();
    db.psql(HEAP).unwrap();
    db.psql("create table small (n int); insert into small values (1), (2)")
        .unwrap();
    let place = Place::new();
    let (holder, run) = held(&db, &place.store());
    let mut other = Other::new(&db);
    other.say("drop table small");
    await_waiting(&db, "other");
    holder.release();
    run.wait().unwrap().success().unwrap();
    other.end();
    assert_eq!(db.psql("select to_regclass('small') is null").unwrap(), "t");

    is_whole(place.store(), |run| run);
    let target = empty();
    restore(place.store(), &target.url())
        .run()
        .unwrap()
        .success()
        .unwrap();
    assert_eq!(target.psql("select count(*) from small").unwrap(), "2");
    target.drop().unwrap();
    db.drop().unwrap();
}

/// Who wants to alter a table waits for the dump, and so does everybody who comes after them: none of our readers may be
/// among these.
#[test]
fn who_waits_for_the_dump_holds_up_no_reader() {
    let db = server().fresh_db("queue").unwrap();
    db.psql(HEAP).unwrap();
    // Both readers are at a large table when it stands still, and have not looked at the small ones.
    db.psql("create table pile as table heap").unwrap();
    // Each of these is as large as tables are that are not read with others.
    let tables: Vec<String> = (0..6).map(|n| format!("small_{n}")).collect();
    for table in &tables {
        let sql = format!("create table {table} as select n from generate_series(1, 4000) n");
        db.psql(&sql).unwrap();
    }
    let place = Place::new();
    let (holder, run) = held_with(&db, |url| {
        let dump = dump(url, place.store()).args(["--jobs", "2"]);
        dump.limit(Duration::from_secs(100))
    });
    let others: Vec<Other<'_>> = tables
        .iter()
        .map(|table| {
            let mut other = Other::new(&db);
            other.say(&format!("alter table {table} add column late int"));
            other
        })
        .collect();
    let waiting = "select count(*) from pg_stat_activity where application_name = 'other' and wait_event_type = 'Lock' \
                   and datname = current_database()";
    others[0].until(waiting, "6");
    holder.release();
    run.wait().unwrap().success().unwrap();
    others.into_iter().for_each(Other::end);
    let target = empty();
    restore(place.store(), &target.url())
        .run()
        .unwrap()
        .success()
        .unwrap();
    for table in &tables {
        let rows = format!("select count(*), count(to_jsonb(t) -> 'late') from {table} t");
        assert_eq!(target.psql(&rows).unwrap(), "4000|0");
    }
    target.drop().unwrap();
    db.drop().unwrap();
}

#[test]
fn rows_are_of_one_moment() {
    let db = server().fresh_db("rows").unwrap();
    db.psql(HEAP).unwrap();
    db.psql("create table small (n int); insert into small values (1); create function f() returns int language sql return 1")
        .unwrap();
    let place = Place::new();
    let (holder, run) = held(&db, &place.store());
    db.psql("insert into heap values (0, ''); delete from heap where n > 5; update small set n = 2; create table late (n int);
             drop function f()")
        .unwrap();
    holder.release();
    run.wait().unwrap().success().unwrap();
    let target = empty();
    restore(place.store(), &target.url())
        .run()
        .unwrap()
        .success()
        .unwrap();
    let seen = "select count(*), min(n), max(n), (select n from small), to_regclass('late') is null, f() from heap";
    assert_eq!(target.psql(seen).unwrap(), "20000|1|20000|1|t|1");
    target.drop().unwrap();
    db.drop().unwrap();
}

/// Money moves from one table to the other all the time: both are read at once, by two connections, and none is lost.
#[test]
fn readers_are_of_one_moment() {
    let db = server().fresh_db("readers").unwrap();
    db.psql(
        "create table stop (); create table a (id int primary key, n bigint, filler text);
         insert into a select i, 0, (select string_agg(md5((i * k)::text), '') from generate_series(1, 60) k)
             from generate_series(1, 2000) i;
         create table b (like a including all); insert into b table a",
    )
    .unwrap();
    let mut other = Other::new(&db);
    other.say(
        "do $$ begin
             while not exists (select from stop) and clock_timestamp() < now() + interval '1 minute' loop
                 update a set n = n - 1 where id = 1000;
                 update b set n = n + 1 where id = 1000;
                 commit;
             end loop;
         end $$",
    );
    other.until("select n > 1000 from b where id = 1000", "t");
    for _ in 0..3 {
        let place = Place::new();
        let run = dump(&db.url(), place.store()).args(["--jobs", "2"]);
        run.run().unwrap().success().unwrap();
        let target = empty();
        restore(place.store(), &target.url())
            .run()
            .unwrap()
            .success()
            .unwrap();
        let both =
            "select (select sum(n) from a) + (select sum(n) from b), (select sum(n) from b) > 1000";
        assert_eq!(target.psql(both).unwrap(), "0|t");
        target.drop().unwrap();
    }
    db.psql("insert into stop default values").unwrap();
    other.end();
    db.drop().unwrap();
}

/// Whoever changes a table after our snapshot and before our lock is told apart: the definition would be of one moment
/// and the rows of another. So the dump takes a new view, in which the change is.
#[test]
fn a_change_before_the_lock_begins_the_dump_anew() {
    let dropped = "dropped or renamed before it could be locked";
    let altered = "altered, rewritten or truncated before it could be locked";
    for (change, says) in [
        ("drop table b", dropped),
        ("alter table b rename to c", dropped),
        ("alter table b set schema other", dropped),
        ("alter table b add column m int", altered),
        ("alter table b drop column t", altered),
        ("alter table b alter column n type bigint", altered),
        ("truncate b; insert into a values (3)", altered),
        ("truncate b; insert into b values (7)", altered),
    ] {
        let db = server().fresh_db("race").unwrap();
        db.psql("create table a (n int); create table b (n int, t text); insert into b values (1, 'x'); create schema other")
            .unwrap();
        let mut other = Other::new(&db);
        other.do_it(&format!("begin; {change}"));
        let place = Place::new();
        let run = dump(&db.url(), place.store()).spawn().unwrap();
        await_waiting(&db, "ksnapshot");
        other.say("commit");
        other.end();
        let run = run.wait().unwrap().success().unwrap();
        let told = format!("warning: table public.b: {says}; taking a new view\n");
        assert_eq!(run.stderr.matches(&told).count(), 1, "{change}: {run:?}");
        no_session_in(&db);
        let twin = copies::twin(&db).unwrap();
        let target = empty();
        restore(place.store(), &target.url())
            .run()
            .unwrap()
            .success()
            .unwrap();
        compare::same(&twin, &target).unwrap();
        for db in [twin, target, db] {
            db.drop().unwrap();
        }
    }
}

/// What is read only at the end is kept as well: the value of a sequence.
#[test]
fn a_drop_of_a_sequence_waits_too() {
    let db = server().fresh_db("sequence").unwrap();
    db.psql(HEAP).unwrap();
    db.psql("create sequence s; select setval('s', 41)")
        .unwrap();
    let place = Place::new();
    let (holder, run) = held(&db, &place.store());
    let mut other = Other::new(&db);
    other.say("drop sequence s");
    await_waiting(&db, "other");
    holder.release();
    run.wait().unwrap().success().unwrap();
    other.end();
    assert_eq!(db.psql("select to_regclass('s') is null").unwrap(), "t");
    let target = empty();
    let run = restore(place.store(), &target.url()).run().unwrap();
    run.success().unwrap();
    assert_eq!(target.psql("select last_value from s").unwrap(), "41");
    target.drop().unwrap();
    db.drop().unwrap();
}
