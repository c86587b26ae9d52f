-- Of the days before those that are made only what is last counts: when each check
-- was seen, and the last heartbeat, which may reach over midnight.
create temp table last_seen as
select max(timestamp) as timestamp
from heartbeat_checks
where date_partition < $from_day
group by date_partition, check_group, check_name;

insert into last_seen
select unnest([
    max(timestamp),
    max(timestamp) filter (where redis_status is not null),
    max(timestamp) filter (where database_status is not null),
    max(timestamp) filter (where api_status is not null),
    max(timestamp) filter (where launchagent_optimizer is not null),
    max(timestamp) filter (where launchagent_digest is not null)
])
from ops_atomic
where date_partition < $from_day and timestamp <= $as_of
group by date_partition;

delete from heartbeat_checks
where
    date_partition < $from_day
    and timestamp not in (select timestamp from last_seen where timestamp is not null);

delete from ops_atomic
where
    date_partition < $from_day
    and timestamp not in (select timestamp from last_seen where timestamp is not null);
