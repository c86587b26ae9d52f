{#- What the materialization audits before it publishes, held against what is
    published: not_null constraints, accepted values and the key, which here
    must be unique over all days; a mart that is one file has none. -#}
{% test keeps_its_contract(model) %}
{%- if execute -%}
    {%- set node = graph.nodes.values()
        | selectattr('resource_type', 'eq', 'model')
        | selectattr('name', 'eq', model.identifier)
        | first -%}
    {%- if node.config.meta.get('kind') == 'single' -%}
        {%- set rows = '(select *, null::date as day from ' ~ model ~ ')' -%}
        {{ contract_violations(rows, day='day', **contract_rules(node)) }}
    {%- else -%}
        {{ contract_violations(model, **contract_rules(node)) }}
    {%- endif -%}
{%- endif -%}
{% endtest %}
