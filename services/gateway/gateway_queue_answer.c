/* gateway_queue_answer: what those who wait to sign in are told: as JSON, and as a page. */
#include "gateway/gateway_plain.h"
#include "gateway/gateway_queue.h"

void endpoint_get_sign_in_place(struct flow *flow);

static void set_number(json_t *object, const char *name, int64_t value)
{
    must(json_object_set_new(object, name, json_integer(value)) == 0);
}

static void set_param(struct call *call, json_t *params, const char *name, int64_t value)
{
    must(json_object_set_new(
             params, name, json_string(arena_printf(call->flow.arena, "%lld", (long long)value))) ==
         0);
}

void queue_answer_wait(struct call *call, const struct queue_place *place)
{
    json_t *told = json_object(), *params = json_object();

    set_param(call, params, "place", place->place);
    set_param(call, params, "seconds", place->wait_s);
    must(json_object_set_new(told, "params", params) == 0);
    set_number(told, "place", place->place);
    set_number(told, "wait_s", place->wait_s);
    call_retry_after(call, place->back_s);
    call_answer_problem(call, CODE_SIGN_IN_QUEUE, told);
    json_decref(told);
    flow_end(&call->flow, ERR_OK);
}

void endpoint_get_sign_in_place(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct queue_place place;
    json_t *body = json_object();

    if (queue_look(call, &place) == QUEUE_TAKE)
        queue_last_place(call->gateway, &place);
    set_number(body, "place", place.place);
    set_number(body, "wait_s", place.wait_s);
    set_number(body, "retry_s", place.back_s);
    if (place.place > 0)
        call_retry_after(call, place.back_s);
    call_object(call, 200, body);
}

/* ---- the page for those without scripts ---- */

bool queue_page(struct gateway *gateway, struct http_request *request)
{
    bool english = accept_english(http_header(request, "Accept-Language"));
    struct plain_page page = {
        .status = 200,
        .english = english,
        .title = english ? "Waiting to sign in" : "ログインの順番をお待ちください",
    };
    struct arena *arena = http_request_arena(request);
    struct queue_place place;
    unsigned minutes;

    if (!str_eq_c(http_path(request), "/waiting"))
        return false;
    if (queue_page_place(gateway, request, &place) == QUEUE_PASS) {
        page.title = english ? "You can sign in now" : "ログインできます";
        page.link = "/login";
        page.link_text = english ? "To the sign-in page" : "ログインのページへ";
        plain_answer(gateway, request, &page);
        return true;
    }
    minutes = (place.wait_s + 59) / 60;
    page.refresh_s = place.back_s;
    page.text = arena_printf(
        arena,
        english ? "Many people are signing in. You are number %lld in the queue; it will take about"
                  " %u minutes. This page comes back by itself, and your place is kept."
                : "ただいま、ログインする方が多く込み合っています。あなたの順番は%lld番目で、"
                  "あと約%u分です。このページは自動で更新され、順番はそのまま保たれます。",
        (long long)place.place, minutes);
    plain_answer(gateway, request, &page);
    return true;
}
