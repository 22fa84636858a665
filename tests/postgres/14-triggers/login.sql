-- since: 17
-- covers: B.4 Event trigger
create function on_login() returns event_trigger language plpgsql as 'begin end';
create event trigger oracle_login on login execute function on_login();
