-- since: 15
-- covers: B.4 View; B.6 own
create table invoker_t (a int);
create view invoker with (security_invoker = true, security_barrier) as select a from invoker_t with local check option;
create view not_invoker with (security_invoker = off) as select a from invoker;
