with

schema_drift as (

    from {{ ref('int_schema_drift') }}

),

heartbeats as (

    from {{ ref('stg_heartbeats') }}

),

observed_columns as (

    from {{ ref('stg_observed_columns') }}

),

-- What was looked at comes along to be counted.
list_what_was_looked_at as (

    select
        day,
        'heartbeats' as landing_source,
    from heartbeats
    union all
    select
        day,
        'observed_columns' as landing_source,
    from observed_columns

)

select
    source_name as source,
    source_file,
    kind,
    column_name as name,
    day as date_partition,
    -- A finding about records is none of them.
    null as landing_source,
    'published' as outcome,
from schema_drift
union all
select
    null as source,
    null as source_file,
    null as kind,
    null as name,
    day as date_partition,
    landing_source,
    'looked at' as outcome,
from list_what_was_looked_at
