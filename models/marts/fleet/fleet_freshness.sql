with

find_last_heartbeats as (

    select
        {{ machine() }} as machine,
        max(timestamp) as last_heartbeat_at
    from {{ ref('ops_atomic') }}
    where timestamp <= {{ as_of() }}
    group by {{ machine() }}

),

sum_sources as (

    select
        machine,
        max(last_record_at) as last_record_at,
        sum(case when status = 'fresh' then 1 else 0 end) as fresh_sources,
        sum(case when status = 'stale' then 1 else 0 end) as stale_sources
    from {{ ref('dataset_freshness') }}
    group by machine

),

list_machines as (

    select machine from find_last_heartbeats
    union distinct
    select machine from sum_sources

),

put_together as (

    select
        machines.machine,
        heartbeats.last_heartbeat_at,
        -- Of two times the only one that is known, else the later.
        greatest(
            coalesce(sources.last_record_at, heartbeats.last_heartbeat_at),
            coalesce(heartbeats.last_heartbeat_at, sources.last_record_at)
        ) as last_record_at,
        coalesce(sources.fresh_sources, 0) as fresh_sources,
        coalesce(sources.stale_sources, 0) as stale_sources
    from list_machines as machines
    left join find_last_heartbeats as heartbeats
        on machines.machine = heartbeats.machine
    left join sum_sources as sources on machines.machine = sources.machine

)

select
    machine,
    last_record_at,
    {{ seconds_between('last_record_at', as_of()) }} as age_s,
    last_heartbeat_at,
    cast(fresh_sources as bigint) as fresh_sources,
    cast(stale_sources as bigint) as stale_sources
from put_together
