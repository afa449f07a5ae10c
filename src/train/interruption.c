/* Remembers a signal until the iteration is finished. */
#include "train/interruption.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t came;

static void remember(int number)
{
    static const char text[] = "\ndarknet: will stop after this iteration; once more: at once\n";
    const ssize_t ignored = write(2, text, sizeof text - 1); /* of stdio, nothing may be called here */
    (void)ignored;
    came = number;
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
}

void interruption_begin(void)
{
    static const int numbers[] = {SIGINT, SIGTERM};
    size_t i;
    for (i = 0; i < sizeof numbers / sizeof *numbers; ++i) {
        struct sigaction action;
        if (sigaction(numbers[i], 0, &action) || action.sa_handler == SIG_IGN) continue;
        memset(&action, 0, sizeof action);
        action.sa_handler = remember;
        sigaddset(&action.sa_mask, SIGINT); /* one at a time, so that the second finds what the first has set */
        sigaddset(&action.sa_mask, SIGTERM);
        action.sa_flags = SA_RESTART; /* what reads a file or waits for a child goes on */
        sigaction(numbers[i], &action, 0);
    }
}

int interruption(void)
{
    return came;
}
