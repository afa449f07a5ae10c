/* Runs another program and splits its output into lines. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* pipe2 */
#endif
#include "base/child_process.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Longer lines are passed on in parts. */
enum { LINE = 4096 };

static void read_lines(int fd, void (*line)(void *, char *), void *context)
{
    char text[LINE + 1];
    size_t length = 0;
    for (;;) {
        size_t begin = 0, i;
        ssize_t n = read(fd, text + length, LINE - length);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        for (i = length, length += (size_t)n; i < length; ++i) {
            if (text[i] != '\n' && text[i] != '\r') continue;
            text[i] = 0;
            if (line && i > begin) line(context, text + begin);
            begin = i + 1;
        }
        if (begin == 0 && length == LINE) {
            text[LINE] = 0;
            if (line) line(context, text);
            begin = LINE;
        }
        length -= begin;
        memmove(text, text + begin, length);
    }
    text[length] = 0;
    if (line && length) line(context, text);
}

int child_run(const char *program, char *const argv[], int input, void (*line)(void *context, char *text),
              void *context)
{
    posix_spawn_file_actions_t actions;
    int ends[2], error, status;
    pid_t child, ended;
    if (pipe2(ends, O_CLOEXEC)) return -1;
    error = posix_spawn_file_actions_init(&actions);
    if (!error) {
        error = input < 0 ? posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
                          : posix_spawn_file_actions_adddup2(&actions, input, 0);
        if (!error) error = posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
        if (!error) error = posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
        if (!error) error = posix_spawnp(&child, program, &actions, 0, argv, environ);
        posix_spawn_file_actions_destroy(&actions);
    }
    close(ends[1]);
    if (!error) read_lines(ends[0], line, context);
    close(ends[0]);
    if (error) {
        errno = error;
        return -1;
    }
    while ((ended = waitpid(child, &status, 0)) < 0 && errno == EINTR) {
    }
    if (ended < 0) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
