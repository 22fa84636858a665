-- covers: B.4 Enum; B.4 Array; B.6 15
create schema enums;
set search_path = enums;
create type mood as enum ('sad', 'it''s "ok"', 'happy \o/', 'Großartig');
alter type mood add value 'meh' before 'happy \o/';
alter type mood add value 'first' before 'sad';
alter type mood rename value 'sad' to 'very sad';
create type empty as enum ();
create type "Quoted ""Type""" as enum ('a', 'A', ' ', '');
-- Its array type has to give way.
create type _mood as enum ('x');
create table moods (m mood, ms mood[], q "Quoted ""Type"""[]);
insert into moods values ('meh', '{first,"happy \\o/",NULL}', '{a," ",""}');
create domain mood_domain as mood default 'meh' check (value > 'first');
