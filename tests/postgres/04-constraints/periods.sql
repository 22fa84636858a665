-- since: 18
-- covers: B.4 Key; B.4 Constraint; B.6 4; B.6 own
create schema periods;
set search_path = periods;
create extension btree_gist;
create table rooms (id int, valid daterange, constraint rooms_key primary key (id, valid without overlaps));
create table named (id int, valid daterange, at tstzmultirange, constraint named_unique unique (id, at without overlaps),
    constraint later unique (id, valid without overlaps) deferrable initially deferred);
create table bookings (room int, during daterange,
    constraint in_a_room foreign key (room, period during) references rooms (id, period valid));
insert into rooms values (1, '[2024-01-01,2025-01-01)'), (1, '[2025-01-01,2026-01-01)'), (2, '[2024-01-01,)');
insert into bookings values (1, '[2024-06-01,2025-06-01)'), (2, '[2030-01-01,2030-01-02)');
comment on constraint rooms_key on rooms is 'over time';
comment on constraint in_a_room on bookings is 'in time';
