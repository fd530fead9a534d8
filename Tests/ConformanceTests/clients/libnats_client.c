// Publishes, subscribes and requests with libnats; says what worked, one line each.

#include <nats/nats.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { message_count = 1000, timeout_milliseconds = 5000 };

static void check(natsStatus status, const char *what) {
    if (status == NATS_OK) return;
    fprintf(stderr, "%s: %s\n", what, natsStatus_GetText(status));
    exit(1);
}

static void answer(natsConnection *connection, natsSubscription *subscription, natsMsg *request,
                   void *closure) {
    (void)subscription, (void)closure;
    check(natsConnection_PublishString(connection, natsMsg_GetReply(request), "pong"), "reply");
    natsMsg_Destroy(request);
}

static void publish_and_subscribe(natsConnection *connection) {
    natsSubscription *subscription = NULL;
    check(natsConnection_SubscribeSync(&subscription, connection, "numbers.*"), "subscribe");
    for (int number = 0; number < message_count; number++) {
        check(natsConnection_Publish(connection, "numbers.all", &number, sizeof number), "publish");
    }
    for (int number = 0; number < message_count; number++) {
        natsMsg *message = NULL;
        check(natsSubscription_NextMsg(&message, subscription, timeout_milliseconds), "next message");
        if (memcmp(natsMsg_GetData(message), &number, sizeof number) != 0) {
            fprintf(stderr, "message %d is not the one published\n", number);
            exit(1);
        }
        natsMsg_Destroy(message);
    }
    natsSubscription_Destroy(subscription);
    printf("order kept: %d\n", message_count);
}

static void request(natsConnection *connection) {
    natsSubscription *service = NULL;
    natsMsg *reply = NULL;
    check(natsConnection_Subscribe(&service, connection, "ping", answer, NULL), "subscribe");
    check(natsConnection_RequestString(&reply, connection, "ping", "", timeout_milliseconds), "request");
    printf("request: %.*s\n", natsMsg_GetDataLength(reply), natsMsg_GetData(reply));
    natsMsg_Destroy(reply);
    natsSubscription_Destroy(service);

    natsStatus status =
        natsConnection_RequestString(&reply, connection, "nobody", "", timeout_milliseconds);
    printf("no responders: %s\n", status == NATS_NO_RESPONDERS ? "yes" : natsStatus_GetText(status));
}

int main(int count, char **arguments) {
    if (count != 2) {
        fprintf(stderr, "usage: %s URL\n", arguments[0]);
        return 2;
    }
    natsConnection *connection = NULL;
    check(natsConnection_ConnectTo(&connection, arguments[1]), "connect");
    publish_and_subscribe(connection);
    request(connection);
    natsConnection_Destroy(connection);
    nats_Close();
    return 0;
}
