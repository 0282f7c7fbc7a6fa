#include "app/http/problem.h"

#include "base/json_writer.h"

namespace dropscore::http {

std::string_view reason_phrase(unsigned status) {
  switch (status) {
    case 100: return "Continue";
    case 200: return "OK";
    case 202: return "Accepted";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 411: return "Length Required";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    default: return "Unknown";
  }
}

unsigned status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::reject: return 422;
    case ErrorKind::too_large: return 413;
    case ErrorKind::not_found: return 404;
    case ErrorKind::changed: return 409;
    case ErrorKind::try_later: return 503;
    case ErrorKind::misuse:
    case ErrorKind::give_up: return 500;
  }
  return 500;
}

Problem problem_of(const Error& error) {
  Problem problem{.status = status_of(error.kind), .detail = error.customer.text, .errors_json = {}};
  if (error.kind == ErrorKind::try_later) problem.headers.push_back({"Retry-After", "1"});
  return problem;
}

Problem problem_of(const job::Refusal& refusal) {
  Problem problem = problem_of(refusal.error);
  if (refusal.malformed) {
    problem.status = 400;
  } else {
    problem.errors_json = refusal.rejections_json;
  }
  return problem;
}

std::string problem_json(const Problem& problem) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("type", "about:blank")
      .member("title", reason_phrase(problem.status))
      .member("status", problem.status)
      .member("detail", problem.detail)
      .member("success", false)
      .member("error", problem.detail);
  if (!problem.errors_json.empty()) json.key("errors").raw(problem.errors_json);
  json.end_object();
  return out;
}

}  // namespace dropscore::http
