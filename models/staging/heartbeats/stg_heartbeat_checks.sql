with

readable_heartbeats as (

    from {{ ref('stg_heartbeats') }}
    where reject_reason is null

),

groups_of_heartbeats as (

    select
        filename,
        reported_at,
        day,
        unnest(check_groups) as reported_group,
    from readable_heartbeats

),

checks_of_groups as (

    select
        filename,
        reported_at,
        day,
        reported_group.check_group,
        unnest(reported_group.checks) as reported_check,
    from groups_of_heartbeats

),

take_messages as (

    select
        *,
        {{ without_mark('reported_check.text') }} as message,
    from checks_of_groups

)

select
    filename,
    reported_at,
    check_group,
    reported_check.check_name,
    {{ check_status('reported_check.text', 'message') }} as status,
    message,
    day,
from take_messages
