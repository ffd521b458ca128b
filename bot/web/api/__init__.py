"""/api/v1: what the console does, for programs. Every operation is a value; requests, answers and the OpenAPI document are all
made from it."""
