"""Calls every method of every service that a server's reflection lists, with an empty message, as somebody who has only grpcio would.

Prints JSON: {"service/method": {"with": status, "without": status, "wrong": status}}.
"""

import json
import os
import sys

import grpc
from google.protobuf import message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

SECONDS = 10


class WithMetadata(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    """Adds the token to every call, reflection's own included."""

    def __init__(self, token):
        self._metadata = [] if token is None else [("authorization", f"Bearer {token}")]

    def _call(self, proceed, details, request):
        return proceed(details._replace(metadata=[*(details.metadata or []), *self._metadata]), request)

    intercept_unary_unary = intercept_unary_stream = _call
    intercept_stream_unary = intercept_stream_stream = _call


def channel_with(target, token):
    return grpc.intercept_channel(grpc.insecure_channel(target), WithMetadata(token))


def status_of(channel, method):
    """The name of the status of a call with an empty message. A stream is ended after its first answer."""
    request_class = message_factory.GetMessageClass(method.input_type)
    answer_class = message_factory.GetMessageClass(method.output_type)
    kind = ("stream" if method.client_streaming else "unary") + "_" + ("stream" if method.server_streaming else "unary")
    call = getattr(channel, kind)(
        f"/{method.containing_service.full_name}/{method.name}",
        request_serializer=request_class.SerializeToString,
        response_deserializer=answer_class.FromString,
    )
    request = iter([request_class()]) if method.client_streaming else request_class()
    try:
        answer = call(request, timeout=SECONDS)
        if method.server_streaming:
            next(answer, None)
            answer.cancel()
        return "OK"
    except grpc.RpcError as error:
        return error.code().name


def main(target, token):
    mine, nobody, wrong = (channel_with(target, each) for each in (token, None, "wrong"))
    database = ProtoReflectionDescriptorDatabase(mine)
    pool = DescriptorPool(database)
    found = {}
    for name in database.get_services():
        for method in pool.FindServiceByName(name).methods:
            found[f"{name}/{method.name}"] = {
                "with": status_of(mine, method),
                "without": status_of(nobody, method),
                "wrong": status_of(wrong, method),
            }
    json.dump(found, sys.stdout)


main(sys.argv[1], os.environ["TOKEN"])
