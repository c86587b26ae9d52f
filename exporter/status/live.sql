{#- Heartbeats that are not published yet, as `ops_atomic` and `heartbeat_checks`
    would have them. The columns of single checks stay empty: what they would say
    is said by the checks. -#}
insert into ops_atomic by name
select
    filename,
    "at" as timestamp,
    {{ heartbeat_status(without_mark('status_text')) }} as status,
    "at"::date as date_partition,
from live_heartbeats;

insert into heartbeat_checks by name
select
    filename,
    "at" as timestamp,
    reported_group.check_group,
    reported_check.check_name,
    {{ check_status(
        'reported_check.text', without_mark('reported_check.text')
    ) }} as status,
    {{ without_mark('reported_check.text') }} as message,
    "at"::date as date_partition,
from (
    select *, unnest(reported_group.checks) as reported_check,
    from (select *, unnest(check_groups) as reported_group, from live_heartbeats)
);
