# Scores miRNA-site pairs: `Rscript score.R FILE [MODEL]`. Needs the package curl.
#
# FILE.csv (columns mirna, site and, if you like, id) is sent and answered whole, as a data frame. FILE.ndjson (an
# object a line) is streamed: curl reads answers while it sends rows. MIRADOR_URL names the server, MIRADOR_KEY holds
# a key.
library(curl)

# The route that scores pairs, with the model that is to answer.
address <- function(model) {
  server <- Sys.getenv("MIRADOR_URL", "http://127.0.0.1:8080")
  query <- if (is.null(model)) "" else paste0("?model=", curl_escape(model))
  paste0(server, "/v1/target-sites/score", query)
}

request <- function(headers, ...) {
  key <- Sys.getenv("MIRADOR_KEY")
  if (nzchar(key)) headers <- c(headers, Authorization = paste("Bearer", key))
  handle_setheaders(new_handle(post = TRUE, ...), .list = as.list(headers))
}

# Scores of a data frame of pairs, in its order.
score_table <- function(pairs, model = NULL) {
  lines <- capture.output(write.csv(pairs, row.names = FALSE))
  body <- charToRaw(enc2utf8(paste0(lines, "\n", collapse = "")))
  handle <- request(c("Content-Type" = "text/csv"), postfieldsize = length(body), postfields = body)
  reply <- curl_fetch_memory(address(model), handle)
  text <- rawToChar(reply$content)
  Encoding(text) <- "UTF-8"
  if (reply$status_code != 200) stop(text)
  scores <- read.csv(text = text, colClasses = c(id = "character", warnings = "character", pairing = "character"))
  transform(scores, interacts = interacts == "true")
}

# Hands the answers to a file of lines to `take` (a function of raw bytes), while later rows are not yet read. A stream
# that ends early says so in its last line, by `error`.
score_lines <- function(file, take, model = NULL) {
  rows <- file(file, "rb")
  on.exit(close(rows))
  headers <- c("Content-Type" = "application/x-ndjson", "Transfer-Encoding" = "chunked", Expect = "")
  handle <- request(headers, readfunction = function(n) readBin(rows, raw(), n))
  reply <- curl_fetch_stream(address(model), take, handle)
  if (reply$status_code != 200) stop("refused with status ", reply$status_code)
}

if (sys.nframe() == 0) {
  arguments <- commandArgs(trailingOnly = TRUE)
  file <- arguments[1]
  model <- if (length(arguments) > 1) arguments[2]
  if (grepl("\\.csv$", file)) {
    write.csv(score_table(read.csv(file), model), row.names = FALSE)
  } else {
    score_lines(file, function(part) cat(rawToChar(part)), model)
  }
}
