-- since: 14
-- covers: B.4 Base
create schema subscripts;
set search_path = subscripts;
create type doc;
create function doc_in(cstring) returns doc language internal immutable strict as 'jsonb_in';
create function doc_out(doc) returns cstring language internal immutable strict as 'jsonb_out';
create function doc_subscript(internal) returns internal language internal immutable strict as 'jsonb_subscript_handler';
create type doc (input = doc_in, output = doc_out, internallength = variable, alignment = int4, storage = extended,
    subscript = doc_subscript);
create table held (d doc);
insert into held values ('{"a": 1}');
