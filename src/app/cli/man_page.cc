#include "app/cli/man_page.h"

#include <array>
#include <map>
#include <vector>

#include <fmt/format.h>

namespace dropscore::app {
namespace {

struct Entry {
  std::string_view name;
  std::string_view text;
};

/// What is read beside the options' own variables.
constexpr std::array variables{
    Entry{"MODEL_DIR", "Stands in for DROPSCORE_MODEL where that is not set."},
    Entry{"PORT", "Stands in for DROPSCORE_PORT where that is not set."},
    Entry{"DROPSCORE_CONNECTION_STRING",
          "Connection string of the storage account; after it AZURE_STORAGE_CONNECTION_STRING and AzureWebJobsStorage "
          "are looked at."},
    Entry{"AZURE_STORAGE_CONNECTION_STRING", "See DROPSCORE_CONNECTION_STRING."},
    Entry{"AzureWebJobsStorage", "See DROPSCORE_CONNECTION_STRING; for function also NAME__accountName and its kin."},
    Entry{"AZURE_STORAGE_ACCOUNT", "The account that AZURE_STORAGE_KEY and AZURE_STORAGE_SAS_TOKEN belong to."},
    Entry{"AZURE_STORAGE_KEY", "Key of the storage account."},
    Entry{"AZURE_STORAGE_SAS_TOKEN", "Shared access signature for the storage account."},
    Entry{"AZURE_TENANT_ID", "Tenant of a service principal or of a workload identity."},
    Entry{"AZURE_CLIENT_ID", "The service principal, or which of several managed identities."},
    Entry{"AZURE_CLIENT_SECRET", "Secret of the service principal."},
    Entry{"AZURE_FEDERATED_TOKEN_FILE", "Token of a workload identity, as Kubernetes mounts it."},
    Entry{"AZURE_AUTHORITY_HOST", "Who gives tokens, in clouds other than the public one."},
    Entry{"AZURE_POD_IDENTITY_AUTHORITY_HOST", "Where a virtual machine's metadata service is, if not at its address."},
    Entry{"IDENTITY_ENDPOINT", "Where an app's managed identity gets its tokens; set by Azure, with IDENTITY_HEADER."},
    Entry{"IDENTITY_HEADER", "See IDENTITY_ENDPOINT."},
    Entry{
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "Collector that traces go to, over HTTP; other OTEL_ variables mean what OpenTelemetry's specification says."},
    Entry{"FUNCTIONS_APP_ROOT_PATH", "Folder of host.json; set by the Functions host."},
    Entry{"SSL_CERT_FILE", "Certificates of the authorities to trust, in place of the system's."},
    Entry{"https_proxy", "Proxy for HTTPS; no_proxy names what is asked directly."},
    Entry{"TMPDIR", "Folder for temporary files."},
};

constexpr std::array exit_codes{
    Entry{"0", "Done. For score: at least one row was scored."},
    Entry{"1", "Failed; standard error says why."},
    Entry{"2", "Usage: an option, a value or a setting that has to be mended; standard error names it."},
    Entry{"130",
          "Ended by SIGINT with its work not done. What serves or watches ends so at a second one only, or while it "
          "starts."},
    Entry{"143", "The same by SIGTERM."},
};

constexpr std::array files{
    Entry{"MODEL_DIR/model.json", "A model: readable, with a checksum. Loading it runs nothing."},
    Entry{"MODEL_DIR/MODEL_CARD.md", "What training said of it, for people."},
    Entry{"OUTPUT/NAME.csv.json", "The result of INPUT/NAME.csv; appears whole or not at all."},
    Entry{"OUTPUT/.dropscore/", "What each result in a folder was made from."},
    Entry{"/etc/dropscore/dropscore.conf", "Settings of the service dropscore.service, where it is installed."},
    Entry{"/var/lib/dropscore/", "The service's folders: models, input-data, output-results."},
};

constexpr std::array examples{
    Entry{"dropscore sample > customers.csv", "Made-up customers, to try the rest."},
    Entry{"dropscore train customers.csv --target Conversion --out model --report report.json",
          "Learn from labelled customers."},
    Entry{"dropscore score new.csv --model model --output new.scored.csv", "Score a file; every column is kept."},
    Entry{"cat new.csv | dropscore score - --model model > new.json", "The same in a pipe, as JSON."},
    Entry{"dropscore up --dir . --model model", "Score whatever is dropped in input-data/, and answer over HTTP."},
    Entry{"dropscore watch --input https://ACCOUNT.blob.core.windows.net/input-data --output "
          "https://ACCOUNT.blob.core.windows.net/output-results --queue scoring --model model",
          "The same on Azure, told of uploads by a storage queue."},
};

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// A page being written.
class Page {
 public:
  void section(std::string_view title) { line(".SH ", title); }
  void subsection(std::string_view title) { line(".SS ", title); }
  void paragraph() { out_ += ".PP\n"; }
  void text(std::string_view text) { out_ += troff_text(text) + "\n"; }

  /// A tagged paragraph: `tag` is troff already.
  void item(std::string_view tag, std::string_view text) {
    fmt::format_to(std::back_inserter(out_), ".TP\n{}\n{}\n", tag, troff_text(text));
  }
  void items(const auto& entries) {
    for (const Entry& entry : entries) item(bold(entry.name), entry.text);
  }
  void more(std::string_view text) { fmt::format_to(std::back_inserter(out_), ".br\n{}\n", troff_text(text)); }

  /// Prose is filled; examples and whatever is aligned by hand stays as it is.
  void prose(std::string_view text) {
    const std::vector<std::string_view> lines = lines_of(text);
    bool kept = false;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const bool aligned = lines[i].starts_with(' ') || (i + 1 < lines.size() && lines[i + 1].starts_with(' '));
      const bool keep = !lines[i].empty() && (aligned || lines[i].starts_with("Example"));
      if (keep != kept) out_ += keep ? ".PP\n.nf\n" : ".fi\n";
      kept = keep;
      if (lines[i].empty()) {
        paragraph();
      } else {
        this->text(lines[i]);
      }
    }
    if (kept) out_ += ".fi\n";
  }

  static std::string bold(std::string_view text) { return fmt::format("\\fB{}\\fR", troff_text(text)); }
  static std::string italic(std::string_view text) { return fmt::format("\\fI{}\\fR", troff_text(text)); }

  void raw(std::string_view text) { out_ += text; }
  std::string take() { return std::move(out_); }

 private:
  void line(std::string_view request, std::string_view text) {
    fmt::format_to(std::back_inserter(out_), "{}{}\n", request, troff_text(text));
  }
  std::string out_;
};

void write_option(Page& page, const OptionRow& option) {
  std::string tag;
  for (const std::string& name : option.names) {
    if (!tag.empty()) tag += ", ";
    tag += option.is_positional ? Page::italic(name) : Page::bold(name);
  }
  if (!option.is_flag()) tag += " " + Page::italic(option.value.notation);
  page.item(tag, option.help + ".");
  const std::string notes = option.notes();
  if (!notes.empty()) page.more(fmt::format("({})", notes));
  if (!option.environment.empty()) page.more("Environment: " + option.environment);
}

void write_command(Page& page, const CommandRow& command, const std::string& program) {
  page.subsection(command.synopsis(program));
  page.text(command.summary + ".");
  for (const OptionRow& option : command.options) {
    if (option.name() != "--help") write_option(page, option);
  }
  if (!command.footer.empty()) page.paragraph();
  page.prose(command.footer);
}

/// Variable -> what it sets.
std::map<std::string, std::vector<std::string>> variables_of(const OptionTable& table) {
  std::map<std::string, std::vector<std::string>> found;
  const auto add = [&found](const CommandRow& command, const std::string& whose) {
    for (const OptionRow& option : command.options) {
      if (!option.environment.empty()) found[option.environment].push_back(option.name() + whose);
    }
  };
  add(table.program, "");
  for (const CommandRow& command : table.commands) add(command, " of " + command.name);
  return found;
}

void write_environment(Page& page, const OptionTable& table) {
  page.section("ENVIRONMENT");
  for (const auto& [name, options] : variables_of(table)) {
    page.item(Page::bold(name), fmt::format("{}.", fmt::join(options, ", ")));
  }
  page.items(variables);
}

}  // namespace

std::string troff_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool begins_line = out.empty() || out.back() == '\n';
    switch (c) {
      case '\\': out += "\\e"; break;
      case '-': out += "\\-"; break;
      case '\'': out += "\\(aq"; break;
      case '`': out += "\\(ga"; break;
      case '^': out += "\\(ha"; break;
      case '~': out += "\\(ti"; break;
      case '.': out += begins_line ? "\\&." : "."; break;
      default: out.push_back(c);
    }
  }
  return out;
}

std::string man_page(const OptionTable& table, std::string_view version) {
  const std::string& name = table.program.name;
  const std::vector<std::string_view> about =
      lines_of(table.program.summary);  // "dropscore: what it does", first steps
  Page page;
  page.raw(
      fmt::format(".\\\" Made by `{0} man`.\n.TH DROPSCORE 1 \"\" \"{0} {1}\" \"User Commands\"\n", name, version));
  page.raw(".ad l\n.nh\n");
  page.section("NAME");
  const std::string_view does = about.front().substr(name.size() + 2);
  page.raw(fmt::format("{} \\- {}\n", name, troff_text(does.substr(0, does.find_last_not_of('.') + 1))));
  page.section("SYNOPSIS");
  page.raw(fmt::format("{} [{}] {} [{}]\n", Page::bold(name), Page::italic("OPTIONS"), Page::italic("COMMAND"),
                       Page::italic("OPTIONS")));
  page.section("DESCRIPTION");
  page.text(
      "One program that learns from labelled customers, answers over HTTP, and scores files dropped in a folder "
      "or in a container of Azure Blob Storage.");
  page.paragraph();
  page.prose(table.program.footer);
  page.section("OPTIONS");
  page.text("These stand before or behind any command.");
  for (const OptionRow& option : table.program.options) write_option(page, option);
  page.section("COMMANDS");
  for (const CommandRow& command : table.commands) write_command(page, command, name);
  page.section("EXIT STATUS");
  page.items(exit_codes);
  write_environment(page, table);
  page.section("FILES");
  page.items(files);
  page.section("EXAMPLES");
  for (const Entry& example : examples) page.item(Page::bold(example.name), example.text);
  page.section("SEE ALSO");
  page.raw(
      fmt::format("{}(1), {}(1), {}(5)\n", Page::bold("curl"), Page::bold("systemctl"), Page::bold("systemd.exec")));
  page.text(
      "The pages under docs/ that come with the program: docs/formats/ for documents and protocols, docs/azure.md "
      "for containers and queues.");
  return page.take();
}

}  // namespace dropscore::app
