-- covers: B.6 9
create schema vals;
set search_path = vals;
create table t (
    i2 smallint, i4 int, i8 bigint, f4 real, f8 double precision, n numeric, b boolean, t text, c char(5), v varchar(3),
    by bytea, d date, ts timestamp, tz timestamptz, tm time, ttz timetz, iv interval, u uuid, j json, jb jsonb, x xml,
    bits bit(4), vb bit varying, ip inet, ci cidr, mac macaddr, mac8 macaddr8, money money, arr int[], arr2 text[][], r int4range,
    nr numrange, tr tstzrange, p point, l line, ls lseg, bo box, pa path, poly polygon, ci2 circle, tsv tsvector, tsq tsquery, o oid,
    rc regclass, rt regtype, rp regprocedure, ro regoperator, nm name, ch "char", jp jsonpath, lsn pg_lsn, xid xid, tid tid, snap txid_snapshot);
insert into t values (-32768, -2147483648, -9223372036854775808, 'NaN', '-Infinity', 'NaN', true, 'é', 'x', '', '\x00ff',
    'infinity', '-infinity', '4713-01-01 00:00:00+00 BC', '24:00', '12:00:59.999999+15:59', '1 year -2 days 03:04:05.6',
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a" : 1}', '{"a": [1, null]}', '<a/>', '1010', '1', '::1/64', '10.0.0.0/8',
    '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', '-1.23', '[0:2]={1,NULL,3}', '{{"a,b","c\"d"},{"",NULL}}', '[1,5)', '(,1.50]', 'empty',
    '(1.5,2)', '{1,2,3}', '[(0,0),(1,1)]', '(1,1),(0,0)', '[(0,0),(1,1)]', '((0,0),(1,1),(1,0))', '<(0,0),1.1>', 'a:1A b:2', 'a & !b',
    4294967295, 'vals.t', 'int[]', 'now()', '+(int,int)', 'n', 'x', '$.a[*] ? (@ > 1)', '16/B374D848', '7', '(0,1)', '10:20:10,14,15');
insert into t default values;
insert into t (f4, f8, n, d, ts, tz, iv, money) values (1.17549e-38, 5e-324, 1e1000 + 0.1e-1000, '5874897-12-31', '294276-12-31 23:59:59.999999',
    'infinity', '-178000000 years', '92233720368547758.07');
insert into t (f4, f8, n, d) values (3.4028235e38, 0.1::float8 + 0.2, repeat('9', 131072)::numeric, '4714-11-24 BC');
create table rows (r t, rs t[]);
insert into rows select y, array[y] from t y where i2 is not null;
