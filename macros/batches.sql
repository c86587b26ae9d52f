{#- What both publishing materializations do with a batch of days, or with the one
    file of a mart: it is made, sorted, shown as it is published, and written. -#}

{#- The relations that a batch goes through, in no file of a database: raw inputs
    stand in them. -#}
{% macro batch_relations() %}
    {{ return({
        'unsorted': 'temp."' ~ this.identifier ~ '_unsorted"',
        'sorted': 'temp."' ~ this.identifier ~ '_batch"',
        'published': 'temp."' ~ this.identifier ~ '_rows"',
    }) }}
{% endmacro %}

{#- The statements after `make`, but for the audit; `show` makes the view of the rows
    that are published. The columns `aside` are in no file. -#}
{% macro batch_statements(relations, contract, aside, first, show, condition) %}
    {%- set rows = sorted_sql(relations.unsorted, contract, aside, first) -%}
    {{ return({
        'made':
            'select * exclude (' ~ aside | join(', ') ~ ') from '
            ~ relations.unsorted,
        'cut': slices_sql(relations.unsorted, contract, first),
        'sort': 'create or replace temp table ' ~ relations.sorted ~ ' as ' ~ rows,
        'sort_next': 'insert into ' ~ relations.sorted ~ ' ' ~ rows,
        'show': 'drop table ' ~ relations.unsorted ~ ';' ~ show,
        'copy': copy_sql(relations.published, condition),
        'drop':
            'drop view if exists ' ~ relations.published
            ~ '; drop table if exists ' ~ relations.sorted
            ~ '; drop table if exists ' ~ relations.unsorted,
    }) }}
{% endmacro %}

{#- All columns, `first` and then what compresses best before the others: rows in a
    total order make files that are the same byte for byte. -#}
{% macro sort_columns(contract, first) %}
    {%- set names = first + config.get('meta').get('order_by', []) -%}
    {{ return(names + (
        contract | map(attribute='name') | reject('in', names) | list
    )) }}
{% endmacro %}

{#- What a row is sorted by, as one value. -#}
{% macro sort_key(contract, first) -%}
    create_sort_key(
        {%- for name in sort_columns(contract, first) %}
        "{{ name }}", 'ASC NULLS LAST'{{ ',' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}

{#- The rows of a slice in their order; all of them, where no slice is set. To sort
    takes the more memory the more rows there are, on the disk or not. -#}
{% macro sorted_sql(unsorted, contract, aside, first) %}
    {%- set key = sort_key(contract, first) -%}
    {%- set from_key = "getvariable('publishing_from')" -%}
    {%- set to_key = "getvariable('publishing_to')" %}
    select
        {%- for column in contract %}
        "{{ column.name }}",
        {%- endfor %}
        {{ aside | join(', ') }}
    from {{ unsorted }}
    where
        ({{ from_key }} is null or {{ key }} >= {{ from_key }})
        and ({{ to_key }} is null or {{ key }} < {{ to_key }})
    order by
        {%- for name in sort_columns(contract, first) %}
        "{{ name }}"{{ ',' if not loop.last }}
        {%- endfor %}
{% endmacro %}

{#- The keys at which slices of about as many rows begin, but for the first. -#}
{% macro slices_sql(unsorted, contract, first) %}
    with some_keys as (
        select {{ sort_key(contract, first) }} as key
        from {{ unsorted }}
        using sample reservoir(1000 rows) repeatable (1)
    ),

    cut as (
        select
            key,
            ntile(getvariable('publishing_slices')) over (order by key) as slice,
        from some_keys
    )

    select min(key) as key
    from cut
    where slice > 1
    group by slice
    order by key
{% endmacro %}

{% macro of_publishing_day() -%}
    date_partition is not distinct from getvariable('publishing_day')
{%- endmacro %}

{#- Writes those rows of a relation that are one file. -#}
{% macro copy_sql(relation, condition) %}
    {#- Version 2 would be smaller by a tenth, but Spark's reader does not know the
        encoding that DuckDB chooses for a DOUBLE in it. -#}
    copy (
        from {{ relation }}
        where {{ condition }}
    ) to (getvariable('publishing_path')) (
        format parquet,
        compression snappy,
        parquet_version v1,
        kv_metadata (getvariable('publishing_footer'))
    )
{% endmacro %}
