{#- What the materialization audits before it publishes, held against what is
    published: not_null constraints, accepted values and the key, which here
    must be unique over all days. -#}
{% test keeps_its_contract(model) %}
{%- if execute -%}
    {%- set node = graph.nodes.values()
        | selectattr('resource_type', 'eq', 'model')
        | selectattr('name', 'eq', model.identifier)
        | first -%}
    {{ contract_violations(model, **contract_rules(node)) }}
{%- endif -%}
{% endtest %}
