// The floor: what a request and its reply cost a server that does nothing with them. Speaks as much
// of the NATS protocol as a load generator needs: INFO, PONG, and for each PUB with a reply subject a
// MSG with a fixed payload, to the connection that asked, with the sid of its last SUB.
//   cc -O2 -o echo echo.c && ./echo PORT REPLY-FILE
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { INPUT_BYTES = 1 << 18, SID_BYTES = 32, EVENTS = 256 };

struct client {
    int descriptor;
    char sid[SID_BYTES];
    size_t input_count, output_count, output_capacity;
    char *output;
    char input[INPUT_BYTES];
};

static char answer[1 << 16];  // "SIZE CR LF payload CR LF"
static size_t answer_count;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void append(struct client *client, const void *bytes, size_t count) {
    if (client->output_count + count > client->output_capacity) {
        client->output_capacity = 2 * (client->output_count + count);
        client->output = realloc(client->output, client->output_capacity);
        if (!client->output) fail("realloc");
    }
    memcpy(client->output + client->output_count, bytes, count);
    client->output_count += count;
}

// `PUB subject reply size`: replies to `reply`, if there is one.
static void publish(struct client *client, const char *line, size_t count) {
    const char *end = line + count;
    const char *reply = memchr(line + 4, ' ', count - 4);
    if (!reply++) return;
    const char *size = memchr(reply, ' ', end - reply);
    if (!size) return;
    append(client, "MSG ", 4);
    append(client, reply, size - reply + 1);
    append(client, client->sid, strlen(client->sid));
    append(client, answer, answer_count);
}

// `SUB subject sid`
static void subscribe(struct client *client, char *line) {
    const char *sid = strrchr(line, ' ');
    snprintf(client->sid, SID_BYTES, "%s ", sid ? sid + 1 : "1");
}

// Handles whole operations; returns how many bytes those were.
static size_t handle(struct client *client) {
    size_t start = 0;
    for (;;) {
        char *line = client->input + start;
        char *feed = memchr(line, '\n', client->input_count - start);
        if (!feed) return start;
        size_t count = feed - line + 1;
        if (line[0] == 'P' && line[1] == 'U') {
            // The payload must be there before the request is answered.
            size_t size = strtoul((char *)memrchr(line, ' ', count) + 1, NULL, 10);
            if (start + count + size + 2 > client->input_count) return start;
            publish(client, line, count);
            start += count + size + 2;
            continue;
        }
        if (line[0] == 'P' && line[1] == 'I') append(client, "PONG\r\n", 6);
        feed[feed > line && feed[-1] == '\r' ? -1 : 0] = 0;
        if (line[0] == 'S') subscribe(client, line);
        start += count;
    }
}

static void watch(int poller, struct client *client, int change, unsigned wanted) {
    struct epoll_event event = {.events = wanted, .data.ptr = client};
    if (epoll_ctl(poller, change, client->descriptor, &event)) fail("epoll_ctl");
}

// Returns 0 when the connection is over.
static int flush(int poller, struct client *client) {
    if (!client->output_count) return 1;
    ssize_t sent = send(client->descriptor, client->output, client->output_count, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return 0;
    if (sent < 0) sent = 0;
    client->output_count -= sent;
    memmove(client->output, client->output + sent, client->output_count);
    if (client->output_count) watch(poller, client, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
    return 1;
}

static int receive(struct client *client) {
    ssize_t count = recv(
        client->descriptor, client->input + client->input_count,
        INPUT_BYTES - client->input_count, 0);
    if (count <= 0) return count < 0 && errno == EAGAIN;
    client->input_count += count;
    size_t done = handle(client);
    if (!done && client->input_count == INPUT_BYTES) return 0;
    client->input_count -= done;
    memmove(client->input, client->input + done, client->input_count);
    return 1;
}

static void welcome(int poller, int listener) {
    int descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK), on = 1;
    if (descriptor < 0) return;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct client *client = calloc(1, sizeof *client);
    if (!client) fail("calloc");
    client->descriptor = descriptor;
    append(client, "INFO {\"server_id\":\"echo\",\"max_payload\":1048576}\r\n", 49);
    watch(poller, client, EPOLL_CTL_ADD, EPOLLIN);
    flush(poller, client);
}

static void farewell(struct client *client) {
    close(client->descriptor);
    free(client->output);
    free(client);
}

static void load_answer(const char *path) {
    static char payload[1 << 15];
    FILE *file = fopen(path, "rb");
    if (!file) fail(path);
    size_t count = fread(payload, 1, sizeof payload, file);
    fclose(file);
    answer_count = snprintf(answer, 64, "%zu\r\n", count);
    memcpy(answer + answer_count, payload, count);
    memcpy(answer + answer_count + count, "\r\n", 2);
    answer_count += count + 2;
}

int main(int count, char **arguments) {
    if (count != 3) return fprintf(stderr, "usage: echo PORT REPLY-FILE\n"), 2;
    load_answer(arguments[2]);
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(atoi(arguments[1])),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address)) fail("bind");
    if (listen(listener, 1024)) fail("listen");
    int poller = epoll_create1(0);
    struct epoll_event events[EVENTS], own = {.events = EPOLLIN};
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &own);
    for (;;) {
        int ready = epoll_wait(poller, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            struct client *client = events[i].data.ptr;
            if (!client) {
                welcome(poller, listener);
                continue;
            }
            if (events[i].events & EPOLLOUT) watch(poller, client, EPOLL_CTL_MOD, EPOLLIN);
            int lives = !(events[i].events & ~EPOLLOUT) || receive(client);
            if (!lives || !flush(poller, client)) farewell(client);
        }
    }
}
