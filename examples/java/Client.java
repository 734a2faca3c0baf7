import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodySubscribers;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * A client of Flow Service's /connections on java.net.http, for Java 17 and later.
 *
 * <p>Copy it. Connections is the client, Json what the JDK lacks; main makes a program of them that
 * aepmock can judge:
 *
 * <pre>aepmock judge -- java examples/java/Client.java</pre>
 */
public final class Client {
  private static final List<String> OPERATIONS =
      List.of(
          "create_connection",
          "get_connection",
          "list_connections",
          "count_connections",
          "update_connection",
          "delete_connection",
          "test_connection",
          "explore_connection");

  private Client() {}

  /** A line of JSON on stdin asks, a line of JSON on stdout answers. */
  public static void main(String[] arguments) throws IOException {
    PrintStream out =
        new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    System.setOut(System.err); // only replies may stand on stdout; stderr is the log
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      Map<String, Object> request;
      try {
        request = Json.object(Json.read(line));
      } catch (IllegalArgumentException error) {
        request = null;
      }
      out.print(Json.write(replyTo(request)) + "\n"); // println would write CR LF on Windows
      out.flush();
      if (request != null && "bye".equals(request.get("op"))) {
        return;
      }
    }
  }

  /** The result or the error of a request; an error is never the end of the program. */
  private static Map<String, Object> replyTo(Map<String, Object> request) {
    Map<String, Object> reply = new LinkedHashMap<>();
    reply.put("id", request == null ? null : request.get("id"));
    try {
      if (request == null) {
        throw new FlowServiceException("no request");
      }
      reply.put("result", perform(request));
    } catch (Exception error) {
      FlowServiceException known =
          error instanceof FlowServiceException
              ? (FlowServiceException) error
              : new FlowServiceException(error.getClass().getSimpleName() + " in the client");
      Map<String, Object> described = new LinkedHashMap<>();
      described.put("status", known.status);
      described.put("code", known.code);
      described.put("message", known.getMessage());
      reply.put("error", described);
    }
    return reply;
  }

  private static Object perform(Map<String, Object> request) {
    String operation = String.valueOf(request.get("op"));
    if (operation.equals("hello")) {
      return Map.of("name", "Java example", "operations", OPERATIONS);
    }
    if (operation.equals("bye")) {
      return null;
    }
    if (!OPERATIONS.contains(operation)) {
      throw new FlowServiceException("no operation is called " + operation);
    }
    // A client for each call: the settings may change from call to call.
    Connections client = new Connections(Json.object(request.get("settings")));
    Map<String, Object> args = Json.object(request.get("args"));
    String id = (String) args.get("connection_id");
    switch (operation) {
      case "create_connection":
        return client.create(Json.object(args.get("connection")));
      case "get_connection":
        return client.get(id);
      case "list_connections":
        return client.list(args.get("limit"), args.get("property"), args.get("orderby"));
      case "count_connections":
        return client.count(args.get("property"));
      case "update_connection":
        return client.update(id, (String) args.get("etag"), args.get("operations"));
      case "delete_connection":
        return client.delete(id);
      case "test_connection":
        return client.test(id);
      default:
        return client.explore(id, args);
    }
  }

  /**
   * What went wrong, with the HTTP status and the service's code where there are any. The text is
   * our own: the service's words may repeat a credential that was sent.
   */
  static final class FlowServiceException extends RuntimeException {
    private static final long serialVersionUID = 1;

    final Integer status;
    final String code;

    FlowServiceException(String why) {
      this(why, null, null);
    }

    FlowServiceException(String why, Integer status, String code) {
      super(
          Stream.of(status, code, why)
              .filter(part -> part != null)
              .map(String::valueOf)
              .collect(Collectors.joining(" ")));
      this.status = status;
      this.code = code;
    }
  }

  /** The operations on connections. Made anew for each settings: it keeps no credential. */
  static final class Connections {
    private static final Pattern SENDABLE = Pattern.compile("[!-~]([ -~]*[!-~])?");
    private static final Pattern CODE = Pattern.compile("/(FLOW-[^/]+)$");
    private static final Map<String, HttpClient> TRANSPORTS = new HashMap<>();

    private final String base;
    private final long timeoutMs;
    private final Map<String, String> headers;
    private final HttpClient transport;

    Connections(Map<String, Object> settings) {
      base = ((String) settings.get("base_url")).replaceAll("/+$", "");
      BigDecimal seconds = new BigDecimal(settings.get("timeout_s").toString());
      timeoutMs = seconds.movePointRight(3).longValue();
      headers = new LinkedHashMap<>();
      headers.put("Authorization", "Bearer " + settings.get("access_token"));
      headers.put("x-api-key", (String) settings.get("api_key"));
      headers.put("x-gw-ims-org-id", (String) settings.get("ims_org_id"));
      headers.put("x-sandbox-name", (String) settings.get("sandbox_name"));
      headers.put("Accept", "application/json");
      transport =
          TRANSPORTS.computeIfAbsent((String) settings.get("ca_file"), Connections::transport);
    }

    Map<String, Object> create(Map<String, Object> connection) {
      Map<String, Object> spec = new LinkedHashMap<>();
      spec.put("id", connection.get("connection_spec_id"));
      putGiven(spec, "version", connection.get("connection_spec_version"));
      Map<String, Object> body = new LinkedHashMap<>();
      body.put("name", connection.get("name"));
      // What the caller did not give is left out: null is not allowed.
      putGiven(body, "description", connection.get("description"));
      body.put("connectionSpec", spec);
      if (connection.get("auth_spec_name") != null) {
        Map<String, Object> auth = new LinkedHashMap<>();
        auth.put("specName", connection.get("auth_spec_name"));
        auth.put("params", connection.get("auth_params"));
        body.put("auth", auth);
      }
      // Sent once: to repeat a POST whose answer was lost could make a second connection.
      Answer answer = ask("POST", url(List.of()), body, null);
      if (answer.text("id") == null) {
        throw answer.problem("the answer has no id");
      }
      return answer.idAndEtag();
    }

    Map<String, Object> get(String id) {
      Answer answer = ask("GET", url(List.of(id)), null, null);
      List<Object> items = answer.items(); // one connection comes as a list of one
      if (items.size() != 1) {
        throw answer.problem("the answer does not hold one connection");
      }
      return Json.object(items.get(0));
    }

    List<Object> list(Object limit, Object property, Object orderby) {
      List<Object> items = new ArrayList<>();
      Set<String> seen = new HashSet<>();
      String query = query("property", property, "limit", limit, "orderby", orderby);
      String url = url(List.of()) + query;
      while (url != null) {
        if (!seen.add(url)) {
          throw new FlowServiceException("the next link leads in a circle");
        }
        Answer answer = ask("GET", url, null, null);
        items.addAll(answer.items());
        url = next(answer); // an empty page is not the end, a missing link is
      }
      return items;
    }

    Object count(Object property) {
      // Never with a limit: the service refuses the two together.
      String query = query("count", "true", "property", property);
      Answer answer = ask("GET", url(List.of()) + query, null, null);
      Object count = answer.member("count");
      if (count instanceof Json.Number number && number.text().matches("[0-9]+")) {
        return count;
      }
      throw answer.problem("the answer has no count");
    }

    Map<String, Object> update(String id, String etag, Object operations) {
      // The etag as it came, its double quotes are part of it. After a 412 someone else was
      // faster: the caller has to look at the connection again.
      if (etag == null) {
        throw new FlowServiceException("an update needs the connection's etag");
      }
      Answer answer = ask("PATCH", url(List.of(id)), operations, etag);
      if (answer.text("id") == null && answer.text("etag") == null) {
        throw answer.problem("the answer has neither id nor etag");
      }
      return answer.idAndEtag();
    }

    Object delete(String id) {
      send("DELETE", url(List.of(id)), null, null);
      return null;
    }

    boolean test(String id) {
      Answer answer = ask("GET", url(List.of(id, "test")), null, null);
      if (answer.member("result") instanceof Boolean result) {
        return result; // a credential that does not work is a 200 with false
      }
      throw answer.problem("the answer has no result");
    }

    Object explore(String id, Map<String, Object> args) {
      Object params = args.get("source_params");
      if (params != null) {
        byte[] plain = Json.write(params).getBytes(StandardCharsets.UTF_8);
        params = Base64.getEncoder().encodeToString(plain);
      }
      String query =
          query(
              "objectType", args.get("object_type"),
              "object", args.get("object"),
              "fileType", args.get("file_type"),
              "preview", args.get("preview"),
              "sourceParams", params);
      Answer answer = ask("GET", url(List.of(id, "explore")) + query, null, null);
      if (answer.document instanceof Map || answer.document instanceof List) {
        return answer.document;
      }
      throw answer.problem("the answer is neither object nor array");
    }

    private static void putGiven(Map<String, Object> object, String key, Object value) {
      if (value != null) {
        object.put(key, value);
      }
    }

    private String url(List<String> segments) {
      StringBuilder url = new StringBuilder(base).append("/connections");
      for (String segment : segments) {
        if (Set.of("", ".", "..").contains(segment)) {
          throw new FlowServiceException("this connection id can't be written in a path");
        }
        url.append('/').append(encoded(segment));
      }
      return url.toString();
    }

    /** Names and values in turn; a list stands for the name several times, null for nothing. */
    private static String query(Object... namesAndValues) {
      List<String> pairs = new ArrayList<>();
      for (int at = 0; at < namesAndValues.length; at += 2) {
        Object value = namesAndValues[at + 1];
        List<?> values =
            value instanceof List<?> many ? many : value == null ? List.of() : List.of(value);
        for (Object one : values) {
          pairs.add(namesAndValues[at] + "=" + encoded(one.toString()));
        }
      }
      return pairs.isEmpty() ? "" : "?" + String.join("&", pairs);
    }

    /** Percent-encoding; URLEncoder is for forms, and makes a plus of a blank. */
    private static String encoded(String text) {
      StringBuilder encoded = new StringBuilder();
      try {
        ByteBuffer octets = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
        while (octets.hasRemaining()) {
          int octet = octets.get() & 0xff;
          boolean plain = octet < 128 && Character.isLetterOrDigit(octet);
          encoded.append(
              plain || "-._~".indexOf(octet) >= 0
                  ? Character.toString(octet)
                  : String.format("%%%02X", octet));
        }
      } catch (CharacterCodingException error) {
        throw new FlowServiceException("half a character can't be written in a URL");
      }
      return encoded.toString();
    }

    /**
     * The URL of the next page, or null on the last one. A link is relative to the base path, not
     * to the host, and never leads to another host: the token would go with it.
     */
    private String next(Answer answer) {
      Object href = answer.document;
      for (String key : List.of("_links", "next", "href")) {
        href = href instanceof Map<?, ?> object ? object.get(key) : null;
      }
      if (href == null || href.equals("")) {
        return null;
      }
      try {
        URI from = URI.create(base + "/connections");
        String text = (String) href;
        boolean isPath = text.startsWith("/") && !text.startsWith("//");
        // resolve() drops the last segment in front of a lone query.
        boolean isQuery = text.startsWith("?");
        URI url = isPath ? URI.create(base + text) : from.resolve(isQuery ? from + text : text);
        if (from.getScheme().equals(url.getScheme())
            && from.getAuthority().equals(url.getAuthority())) {
          return url.toASCIIString();
        }
      } catch (IllegalArgumentException | ClassCastException error) {
        // What is no URL leads elsewhere, too.
      }
      throw answer.problem("the next link leads elsewhere");
    }

    private Answer ask(String method, String url, Object body, String etag) {
      HttpResponse<byte[]> response = send(method, url, body, etag);
      return new Answer(response.statusCode(), response.body());
    }

    /** Sends one request; its answer, if that is a 2xx. */
    private HttpResponse<byte[]> send(String method, String url, Object body, String etag) {
      Map<String, String> sent = new LinkedHashMap<>(headers);
      if (body != null) {
        sent.put("Content-Type", "application/json");
      }
      if (etag != null) {
        sent.put("If-Match", etag);
      }
      HttpRequest.BodyPublisher payload =
          body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(Json.write(body));
      HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url)).method(method, payload);
      sent.forEach(
          (name, value) -> {
            // A line break would begin another header. Octets beyond ASCII mean what the server
            // likes, and blanks at the ends get lost.
            if (value == null || !SENDABLE.matcher(value).matches()) {
              throw new FlowServiceException(
                  "the value for " + name + " can't be sent in a header");
            }
            request.header(name, value);
          });
      HttpResponse<byte[]> response = received(request.build());
      if (response.statusCode() < 200 || response.statusCode() > 299) {
        throw new FlowServiceException(
            "the request was refused", response.statusCode(), codeOf(response.body()));
      }
      return response;
    }

    private HttpResponse<byte[]> received(HttpRequest request) {
      AtomicReference<Integer> status = new AtomicReference<>(); // known when the body breaks off
      CompletableFuture<HttpResponse<byte[]>> answer =
          transport.sendAsync(
              request,
              head -> {
                status.set(head.statusCode());
                return BodySubscribers.ofByteArray();
              });
      try {
        // HttpRequest.timeout() ends with the head of the answer: its body could take for ever.
        return answer.get(timeoutMs, TimeUnit.MILLISECONDS);
      } catch (ExecutionException | TimeoutException | InterruptedException error) {
        answer.cancel(true);
        if (error instanceof InterruptedException) {
          Thread.currentThread().interrupt();
        }
        Throwable cause = error.getCause() == null ? error : error.getCause();
        throw new FlowServiceException(
            "no whole answer: " + cause.getClass().getSimpleName(), status.get(), null);
      }
    }

    /** The service's code: FLOW-1404-412 in its own errors, 403010 in the gateway's. */
    private static String codeOf(byte[] octets) {
      Object document;
      try {
        document = Json.read(octets);
      } catch (IllegalArgumentException error) {
        return null; // empty, HTML, broken off: the status has to do
      }
      if (!(document instanceof Map<?, ?> object)) {
        return null;
      }
      Matcher match = CODE.matcher(String.valueOf(object.get("type")));
      Object code = match.find() ? match.group(1) : object.get("error_code");
      return code == null ? null : code.toString();
    }

    /** Connections are kept open, so one for each CA; it follows no redirect, token and all. */
    private static HttpClient transport(String caFile) {
      HttpClient.Builder builder =
          HttpClient.newBuilder()
              .version(HttpClient.Version.HTTP_1_1)
              .followRedirects(HttpClient.Redirect.NEVER);
      if (caFile == null) {
        return builder.build();
      }
      try (FileInputStream file = new FileInputStream(caFile)) {
        KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null, null);
        for (Certificate ca : CertificateFactory.getInstance("X.509").generateCertificates(file)) {
          trusted.setCertificateEntry("ca " + trusted.size(), ca);
        }
        TrustManagerFactory trust =
            TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return builder.sslContext(context).build();
      } catch (IOException | GeneralSecurityException error) {
        throw new FlowServiceException("the CA certificate can't be read: " + caFile);
      }
    }
  }

  /** A 2xx answer. What the documentation promises of it is asked for by name and kind. */
  static final class Answer {
    final Object document;
    private final int status;

    Answer(int status, byte[] octets) {
      this.status = status;
      try {
        document = Json.read(octets);
      } catch (IllegalArgumentException error) {
        throw problem("the answer is not JSON");
      }
    }

    Object member(String key) {
      return document instanceof Map<?, ?> object ? object.get(key) : null;
    }

    /** A text, or null where the service sent none. */
    String text(String key) {
      Object value = member(key);
      if (value == null || value instanceof String text && !text.isEmpty()) {
        return (String) value;
      }
      throw problem("the answer has no " + key);
    }

    Map<String, Object> idAndEtag() {
      Map<String, Object> result = new LinkedHashMap<>();
      result.put("id", text("id"));
      result.put("etag", text("etag"));
      return result;
    }

    List<Object> items() {
      if (member("items") instanceof List<?> items
          && items.stream().allMatch(item -> item instanceof Map)) {
        return List.copyOf(items);
      }
      throw problem("the answer has no items");
    }

    FlowServiceException problem(String why) {
      return new FlowServiceException(why, status, null);
    }
  }

  /**
   * JSON (RFC 8259), because the JDK has none: an object is a Map, an array a List, a number keeps
   * its text, so that none is rounded. What is not JSON is an IllegalArgumentException.
   */
  static final class Json {
    private static final Pattern NUMBER =
        Pattern.compile("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][-+]?[0-9]+)?");
    private static final int DEEPEST = 500; // each level takes some of the stack

    private final String text;
    private int at;

    /** A number as it was written. */
    record Number(String text) {
      @Override
      public String toString() {
        return text;
      }
    }

    private Json(String text) {
      this.text = text;
    }

    static Object read(byte[] octets) {
      try {
        return read(StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(octets)).toString());
      } catch (CharacterCodingException error) {
        throw new IllegalArgumentException("not UTF-8");
      }
    }

    static Object read(String text) {
      Json json = new Json(text);
      Object value = json.value(0);
      json.blanks();
      if (json.at < text.length()) {
        throw json.wrong();
      }
      return value;
    }

    @SuppressWarnings("unchecked")
    static Map<String, Object> object(Object value) {
      if (value instanceof Map) {
        return (Map<String, Object>) value;
      }
      throw new IllegalArgumentException("no object");
    }

    private Object value(int depth) {
      blanks();
      if (depth > DEEPEST) {
        throw wrong();
      }
      if (skips("{")) {
        return members(depth);
      }
      if (skips("[")) {
        return elements(depth);
      }
      if (skips("\"")) {
        return string();
      }
      if (skips("null")) {
        return null;
      }
      if (skips("true")) {
        return true;
      }
      if (skips("false")) {
        return false;
      }
      Matcher number = NUMBER.matcher(text).region(at, text.length());
      if (!number.lookingAt()) {
        throw wrong();
      }
      at = number.end();
      return new Number(number.group());
    }

    /** An object; of a key that stands twice the last one counts, as in most readers. */
    private Map<String, Object> members(int depth) {
      Map<String, Object> members = new LinkedHashMap<>();
      blanks();
      if (skips("}")) {
        return members;
      }
      do {
        blanks();
        expect("\"");
        String key = string();
        blanks();
        expect(":");
        members.put(key, value(depth + 1));
        blanks();
      } while (skips(","));
      expect("}");
      return members;
    }

    private List<Object> elements(int depth) {
      List<Object> elements = new ArrayList<>();
      blanks();
      if (skips("]")) {
        return elements;
      }
      do {
        elements.add(value(depth + 1));
        blanks();
      } while (skips(","));
      expect("]");
      return elements;
    }

    /** A string whose opening quote is behind us. */
    private String string() {
      StringBuilder string = new StringBuilder();
      while (true) {
        char next = take();
        if (next == '"') {
          return string.toString();
        }
        if (next < ' ') {
          throw wrong();
        }
        string.append(next == '\\' ? escaped(take()) : next);
      }
    }

    private char escaped(char letter) {
      if (letter == 'u') {
        int value = 0;
        for (int digit = 0; digit < 4; digit++) {
          int found = "0123456789abcdef".indexOf(Character.toLowerCase(take()));
          if (found < 0) {
            throw wrong();
          }
          value = value * 16 + found;
        }
        return (char) value; // halves of a pair come one after the other, and fit together
      }
      int known = "\"\\/bfnrt".indexOf(letter);
      if (known < 0) {
        throw wrong();
      }
      return "\"\\/\b\f\n\r\t".charAt(known);
    }

    private void blanks() {
      while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
        at++;
      }
    }

    private boolean skips(String wanted) {
      boolean there = text.startsWith(wanted, at);
      at += there ? wanted.length() : 0;
      return there;
    }

    private void expect(String wanted) {
      if (!skips(wanted)) {
        throw wrong();
      }
    }

    private char take() {
      if (at >= text.length()) {
        throw wrong();
      }
      return text.charAt(at++);
    }

    private IllegalArgumentException wrong() {
      return new IllegalArgumentException("no JSON at character " + at);
    }

    static String write(Object value) {
      StringBuilder text = new StringBuilder();
      write(value, text);
      return text.toString();
    }

    private static void write(Object value, StringBuilder text) {
      if (value instanceof String string) {
        quote(string, text);
      } else if (value instanceof Map<?, ?> members) {
        String separator = "{";
        for (Map.Entry<?, ?> member : members.entrySet()) {
          text.append(separator);
          quote((String) member.getKey(), text);
          text.append(':');
          write(member.getValue(), text);
          separator = ",";
        }
        text.append(members.isEmpty() ? "{}" : "}");
      } else if (value instanceof List<?> elements) {
        String separator = "[";
        for (Object element : elements) {
          text.append(separator);
          write(element, text);
          separator = ",";
        }
        text.append(elements.isEmpty() ? "[]" : "]");
      } else {
        text.append(value); // null, true, false, a number
      }
    }

    /** Everything outside ASCII is escaped: then no encoding can spoil it, nor half a pair. */
    private static void quote(String string, StringBuilder text) {
      text.append('"');
      for (char next : string.toCharArray()) {
        if (next == '"' || next == '\\') {
          text.append('\\').append(next);
        } else if (next < ' ' || next > '~') {
          text.append(String.format("\\u%04x", (int) next));
        } else {
          text.append(next);
        }
      }
      text.append('"');
    }
  }
}
