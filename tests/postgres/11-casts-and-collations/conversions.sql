-- covers: B.4 Conversion; B.6 11
create schema conversions;
set search_path = conversions;
create conversion plain for 'UTF8' to 'LATIN1' from utf8_to_iso8859_1;
create default conversion "Default ""one""" for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8;
