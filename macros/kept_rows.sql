{#- `batch`, with the published rows of some inputs in place of what is landed of
    them. -#}
{% macro kept_rows_ctes() %}
    {%- set meta = config.get('meta') -%}
    kept as (
        select
            day,
            input,
        from publishing.kept_inputs
        where dataset = '{{ this.identifier }}'
    ),
    with_kept as (
        from batch
        anti join kept
            on date_partition = day and {{ meta.get('row_input') }} = input
        union all by name
        select
            *,
            null as landing_source,
            'published' as outcome,
        from {{ this }}
        semi join kept
            on date_partition = day and {{ meta.get('row_input') }} = input
        where date_partition in getvariable('publishing_days')
    )
{%- endmacro %}

{#- Rows of the published files whose landed record `made` knows no more. Rows of
    files that are landed as a whole are none: their file says what is in it. -#}
{% macro missing_rows_ctes(contract) %}
    {%- set meta = config.get('meta') -%}
    {%- set record = meta.get('told_apart_by') -%}
    {%- set for_this = "where dataset = '" ~ this.identifier ~ "'" -%}
    compared as (
        select day as date_partition
        from publishing.compared_days
        {{ for_this }}
    ),
    before as (
        from {{ this }}
        semi join compared using (date_partition)
        {%- if meta.get('row_input') %}
        anti join (
            select
                day,
                input,
            from publishing.landed_files
            {{ for_this }}
        ) on date_partition = day and {{ meta.get('row_input') }} = input
        {%- endif %}
        where date_partition in getvariable('publishing_days')
    ),
    missing as (
        {%- if record == 'row' %}
        select
            {%- for column in contract %}
            "{{ column.name }}",
            {%- endfor %}
        from before
        except all
        select
            {%- for column in contract %}
            "{{ column.name }}",
            {%- endfor %}
        from made
        where outcome = 'published'
        {%- else %}
        from before
        anti join (
            from made
            where outcome = 'published'
        ) as now
            on
                before.date_partition = now.date_partition
                {%- for name in record %}
                and before."{{ name }}" is not distinct from now."{{ name }}"
                {%- endfor %}
        {%- endif %}
    )
{%- endmacro %}

{#- How many rows are kept, by day and the dataset of their record. -#}
{% macro count_missing_sql(batch, contract) %}
    select
        date_partition,
        {{ 'dataset' if 'dataset' in contract | map(attribute='name')
            else "'" ~ this.identifier ~ "'" }} as dataset,
        count(*) as missing_rows,
    from {{ batch }}
    where outcome = 'missing'
    group by all
    order by all
{%- endmacro %}
