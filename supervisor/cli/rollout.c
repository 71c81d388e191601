/* baton upgrade, rollback, reload: what begins rollouts. */
#include <stdlib.h>
#include <string.h>

#include "supervisor/cli/arguments.h"
#include "supervisor/cli/cli.h"
#include "supervisor/cli/client.h"
#include "supervisor/cli/fields.h"
#include "supervisor/cli/wait.h"

/* Say what has begun and where to look. */
static void print_begun(const json_t *answer)
{
    json_t *services = json_object_get(answer, "services");
    bool one = json_array_size(services) == 1;
    const char *name = fields_text(json_array_get(services, 0), "service");

    client_print(answer);
    if (json_array_size(services) > 0)
        printf("follow with: baton status%s%s | baton events --follow\n", one ? " " : "", one ? name : "");
}

static int begin(struct client *client, json_t *request)
{
    json_t *answer;
    int outcome = client_ask(client, request, &answer);

    if (outcome)
        return client_tell(client, outcome);
    int result = (int)fields_count(answer, "result");
    if (result == CLI_OK)
        print_begun(answer);
    else
        client_print(answer);
    json_decref(answer);
    return result;
}

/* Connect, send `request` (taken), wait for its end if that is wanted. */
static int request_rollout(const char *name, json_t *request, const char *service, bool wait)
{
    struct client client;
    int result = client_open(name, &client);

    if (result != CLI_OK) {
        json_decref(request);
        return result;
    }
    result = wait ? wait_for_rollout(&client, request, service) : begin(&client, request);
    client_close(&client);
    return result;
}

static int run_upgrade(int argc, char **argv)
{
    const char *name = NULL, *service = NULL;
    bool wait = false, replace = false;
    const struct arguments_option options[] = {
        { "--wait", &wait, NULL }, { "--replace", &replace, NULL }, { "--name", NULL, &name }, { 0 }
    };
    int result = arguments_read(&cli_upgrade, argc, argv, options, &service, 1);

    if (result != CLI_OK)
        return result;
    json_t *request = json_pack("{s:s, s:b, s:b, s:s*}", "verb", "upgrade", "wait", wait, "replace", replace,
                                "service", service);
    return request_rollout(name, request, service, wait);
}

static int run_rollback(int argc, char **argv)
{
    const char *name = NULL, *service = NULL;
    bool wait = false;
    const struct arguments_option options[] = { { "--wait", &wait, NULL }, { "--name", NULL, &name }, { 0 } };
    int result = arguments_read(&cli_rollback, argc, argv, options, &service, 1);

    if (result != CLI_OK)
        return result;
    json_t *request = json_pack("{s:s, s:b, s:s*}", "verb", "rollback", "wait", wait, "service", service);
    return request_rollout(name, request, service, wait);
}

static int run_reload(int argc, char **argv)
{
    const char *name = NULL;
    bool wait = false;
    const struct arguments_option options[] = { { "--wait", &wait, NULL }, { "--name", NULL, &name }, { 0 } };
    int result = arguments_read(&cli_reload, argc, argv, options, NULL, 0);

    if (result != CLI_OK)
        return result;
    return request_rollout(name, json_pack("{s:s, s:b}", "verb", "reload", "wait", wait), NULL, wait);
}

const struct cli_verb cli_upgrade = {
    .name = "upgrade",
    .synopsis = "upgrade [SERVICE] [--wait] [--replace] [--name NAME]",
    .summary = "start the new version, and retire the old one when it serves",
    .help =
        "Starts a new generation of SERVICE, or of every service, as it was last accepted: path, files and\n"
        "environment are looked at anew, the configuration is not read again (baton reload does that).\n"
        "Until the new generation is ready the old one serves; when it fails, the old one stays.\n"
        "\n"
        "  --wait       until the old generation is gone. Exits with 0: upgraded, 3: rolled back, 1: failed\n"
        "  --replace    give up a rollout that is running, instead of being refused with 4\n"
        "  --name NAME  of the instance, when several run\n",
    .run = run_upgrade,
};

const struct cli_verb cli_rollback = {
    .name = "rollback",
    .synopsis = "rollback [SERVICE] [--wait] [--name NAME]",
    .summary = "give up the running rollout, or start the previous release again",
    .help =
        "While a rollout runs: ends it, the old generation serves on. Otherwise: starts the release before\n"
        "this one as a new generation; when its files have changed since, that is said and nothing is "
        "done.\n"
        "\n"
        "  --wait       until that has ended. Exits with 0: done, 3: the previous release failed\n"
        "  --name NAME  of the instance, when several run\n",
    .run = run_rollback,
};

const struct cli_verb cli_reload = {
    .name = "reload",
    .synopsis = "reload [--wait] [--name NAME]",
    .summary = "read the configuration again and roll out what changed",
    .help =
        "Reads the file and what it includes. With a mistake in it nothing is changed (exit code 2). Every\n"
        "service whose definition, executable or environment differs is upgraded; the others are not "
        "touched.\n"
        "\n"
        "  --wait       until every changed service serves (0) or was rolled back (3)\n"
        "  --name NAME  of the instance, when several run\n",
    .run = run_reload,
};
