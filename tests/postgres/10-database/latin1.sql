-- database: ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'
-- covers: B.4 Database; B.6 10
set client_encoding = 'UTF8';
create table "naïve" ("é" text);
insert into "naïve" values ('Größe');
comment on table "naïve" is 'ü';
create type "ö" as enum ('ä');
