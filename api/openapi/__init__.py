"""The API's document: /openapi.json (OpenAPI 3.1) and /docs, made of the routes that are served."""
