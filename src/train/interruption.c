/* Remembers a signal until the iteration is finished. */
#include "train/interruption.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t came;
static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
enum { SIGNALS = sizeof numbers / sizeof *numbers };
static int is_ours[SIGNALS]; /* not one that is to be ignored */

static void remember(int number)
{
    static const char text[] = "\ndarknet: will stop after this iteration; once more: at once\n";
    const int error = errno;
    const ssize_t ignored = write(2, text, sizeof text - 1); /* of stdio, nothing may be called here */
    int i;
    (void)ignored;
    if (__atomic_exchange_n(&came, number, __ATOMIC_SEQ_CST) &&
        number != SIGHUP) { /* another thread has the first at this moment */
        signal(number, SIG_DFL);
        raise(number);
    }
    for (i = 0; i < SIGNALS; ++i)
        if (is_ours[i]) signal(numbers[i], numbers[i] == SIGHUP ? SIG_IGN : SIG_DFL);
    errno = error;
}

void interruption_begin(void)
{
    int i;
    for (i = 0; i < SIGNALS; ++i) {
        struct sigaction action;
        if (sigaction(numbers[i], 0, &action) || action.sa_handler == SIG_IGN) continue;
        memset(&action, 0, sizeof action);
        action.sa_handler = remember;
        sigaddset(&action.sa_mask, SIGINT); /* one at a time, so that the second finds what the first has set */
        sigaddset(&action.sa_mask, SIGTERM);
        sigaddset(&action.sa_mask, SIGHUP);
        action.sa_flags = SA_RESTART; /* what reads a file or waits for a child goes on */
        is_ours[i] = 1;
        sigaction(numbers[i], &action, 0);
    }
}

int interruption(void)
{
    return came;
}
