//! Under pgbench, a storm of definitions, and money that moves between two schemas, a dump is of one moment.

use std::process::{Child, Stdio};

use ksnapshot_tests::{Db, Ksnapshot, Postgres, Version};

/// Two accounts' worth of money that moves, in tables that take a while to read.
const BANK: &str = "create schema a; create schema b; create schema storm; create table public.stop ();
    create table a.account (id int primary key, balance bigint not null, filler text);
    insert into a.account select i, 100, (select string_agg(md5((i * k)::text), '') from generate_series(1, 60) k)
        from generate_series(1, 1000) i;
    create table b.account (like a.account including all);
    insert into b.account table a.account";

const MOVER: &str = "do $$ begin
    while not exists (select from public.stop) loop
        update a.account set balance = balance - 1 where id = 500;
        update b.account set balance = balance + 1 where id = 500;
        commit;
    end loop; end $$";

/// As a busy deployment does it, some times a second.
const STORM: &str = "do $$ declare i int := 0; begin
    while not exists (select from public.stop) loop
        i := i + 1;
        execute format('create table storm.t%s (id int primary key, v text)', i);
        commit;
        execute format('insert into storm.t%s select n, n::text from generate_series(1, 100) n', i);
        execute format('alter table storm.t%s add column w int default 1', i);
        execute format('create index on storm.t%s (v)', i);
        commit;
        execute format('create or replace function storm.f() returns int language sql as ''select %s''', i);
        execute format('create view storm.v%s as select id from storm.t%s', i, i);
        execute format('alter table b.account alter column filler set statistics %s', 1 + i % 100);
        commit;
        execute format('alter table b.account alter column filler %s not null', case i % 2 when 0 then 'set' else 'drop' end);
        commit;
        if i > 3 then
            execute format('drop table storm.t%s cascade', i - 3);
        end if;
        commit;
        perform pg_sleep(0.3);
    end loop; end $$";

/// Ends with its test.
struct Writer(Child);

impl Writer {
    fn psql(db: &Db<'_>, sql: &str) -> Self {
        let mut psql = db.server.client("psql").unwrap();
        psql.args(["-XqAt", "-d", &db.name, "-c", sql]);
        Self(
            psql.stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        )
    }

    fn pgbench(db: &Db<'_>) -> Self {
        let mut pgbench = db.server.client("pgbench").unwrap();
        pgbench.args(["--client=2", "--time=3600", "--no-vacuum", &db.name]);
        Self(
            pgbench
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        )
    }

    fn works(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// So many dumps, each restored and counted.
pub(crate) fn one_moment(version: Version, runs: usize) {
    let server = Postgres::start(version).unwrap();
    let db = server.create_db("bank").unwrap();
    let init = "pgbench --initialize --quiet --scale=2 --foreign-keys";
    db.shell(init, &[]).unwrap().success().unwrap();
    db.psql(BANK).unwrap();
    let mut writers = [
        Writer::pgbench(&db),
        Writer::psql(&db, MOVER),
        Writer::psql(&db, STORM),
    ];
    let (mut whole, mut failed, mut before) = (0, 0, 0);
    while whole < runs {
        let folder = tempfile::tempdir().unwrap();
        let dump = Ksnapshot::new(["dump", &db.url(), "--jobs", "2", "--to"]);
        let run = dump.arg(folder.path()).password().run().unwrap();
        if run.code() == Some(1) && run.stderr.contains("before it could be locked") {
            // Five views, and definitions changed under each: nothing is there, and nobody is told otherwise.
            failed += 1;
            assert!(failed <= runs, "{run:?}");
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
            continue;
        }
        run.success().unwrap();
        let copy = server.fresh_db("copy").unwrap();
        let restore = Ksnapshot::new(["restore", "--into", &copy.url()]);
        restore
            .arg(folder.path())
            .password()
            .run()
            .unwrap()
            .success()
            .unwrap();
        let money =
            "select (select sum(balance) from a.account) + (select sum(balance) from b.account)";
        assert_eq!(copy.psql(money).unwrap(), "200000", "money is made or lost");
        let bench = "select count(distinct n) from (values
            ((select coalesce(sum(abalance), 0) from pgbench_accounts)), ((select coalesce(sum(bbalance), 0) from pgbench_branches)),
            ((select coalesce(sum(tbalance), 0) from pgbench_tellers)), ((select coalesce(sum(delta), 0) from pgbench_history))) s(n)";
        assert_eq!(
            copy.psql(bench).unwrap(),
            "1",
            "the bank's books don't balance"
        );
        let moved = "select sum(balance) + (select count(*) from pgbench_history) from b.account";
        let moved: i64 = copy.psql(moved).unwrap().parse().unwrap();
        assert!(moved > before, "the writers stand still");
        assert!(writers.iter_mut().all(Writer::works), "a writer is gone");
        before = moved;
        whole += 1;
        copy.drop().unwrap();
    }
    db.psql("insert into public.stop default values").unwrap();
}
