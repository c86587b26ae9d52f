with

readable_heartbeats as (

    from {{ ref('stg_heartbeats') }}
    where reject_reason is null

),

checks_of_heartbeats as (

    select
        filename,
        reported_at,
        day,
        unnest(checks) as reported_check,
    from readable_heartbeats

)

select
    filename,
    reported_at,
    reported_check.check_group,
    reported_check.check_name,
    {{ check_status('reported_check.text') }} as status,
    {{ without_mark('reported_check.text') }} as message,
    day,
from checks_of_heartbeats
