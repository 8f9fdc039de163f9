// Containerd's own ttrpc, as Debian packages it, on either end of a socket: what the interop test talks to.
// `serve SOCKET` offers ttrpc.test.v1.Echo, `call SOCKET` makes a fixed list of calls and prints a line of JSON each;
// `call-own SOCKET` leaves out the one that kills this client when its own server answers: a reply over 4 MiB.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/containerd/ttrpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const service = "ttrpc.test.v1.Echo"

// Text is the one message of the service, with the tags that the codec reads.
type Text struct {
	Text string `protobuf:"bytes,1,opt,name=text,proto3"`
}

func (m *Text) Reset()         { *m = Text{} }
func (m *Text) String() string { return m.Text }
func (m *Text) ProtoMessage()  {}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: interop serve|call|call-own SOCKET")
		os.Exit(2)
	}
	var err error
	if os.Args[1] == "serve" {
		err = serve(os.Args[2])
	} else {
		err = call(os.Args[2], os.Args[1] == "call-own")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(path string) error {
	server, err := ttrpc.NewServer()
	if err != nil {
		return err
	}
	server.Register(service, map[string]ttrpc.Method{
		"Unary": handler(func(_ context.Context, text string) (string, error) { return text, nil }),
		"Empty": handler(func(context.Context, string) (string, error) { return "", nil }),
		"Slow": handler(func(ctx context.Context, _ string) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		}),
		"Big": handler(func(_ context.Context, text string) (string, error) {
			n, err := strconv.Atoi(text)
			return strings.Repeat("x", n), err
		}),
		"Fail": handler(func(_ context.Context, text string) (string, error) {
			n, err := strconv.Atoi(text)
			if err != nil {
				return "", err
			}
			return "", status.Errorf(codes.Code(n), "failed with code %d, as asked", n)
		}),
		// Not in the proto: what arrived as metadata under the key that is the text.
		"Metadata": handler(func(ctx context.Context, text string) (string, error) {
			md, _ := ttrpc.GetMetadata(ctx)
			values, _ := md.Get(text)
			return strings.Join(values, ","), nil
		}),
	})
	listener, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	fmt.Println("serving")
	return server.Serve(context.Background(), listener)
}

func handler(work func(context.Context, string) (string, error)) ttrpc.Method {
	return func(ctx context.Context, unmarshal func(interface{}) error) (interface{}, error) {
		var request Text
		if err := unmarshal(&request); err != nil {
			return nil, err
		}
		text, err := work(ctx, request.Text)
		return &Text{Text: text}, err
	}
}

// outcome is what a call came to.
type outcome struct {
	Text    string `json:"text"`
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func call(path string, own bool) error {
	conn, err := net.Dial("unix", path)
	if err != nil {
		return err
	}
	client := ttrpc.NewClient(conn)
	defer client.Close()

	try := func(ctx context.Context, service, method, text string) outcome {
		var reply Text
		if err := client.Call(ctx, service, method, &Text{Text: text}, &reply); err != nil {
			st, _ := status.FromError(err)
			return outcome{Code: int(st.Code()), Message: st.Message()}
		}
		return outcome{Text: reply.Text}
	}
	print := func(o outcome) {
		if len(o.Text) > 100 {
			o.Text = fmt.Sprintf("%d bytes", len(o.Text))
		}
		line, _ := json.Marshal(o)
		fmt.Println(string(line))
	}

	background := context.Background()
	print(try(background, service, "Unary", "hello"))
	print(try(background, service, "Unary", ""))
	print(try(background, service, "Empty", "x"))
	print(try(background, service, "Big", "4000000"))
	if !own {
		print(try(background, service, "Big", "5000000"))
	}
	print(try(background, service, "Fail", "5"))
	print(try(background, service, "Nope", ""))
	print(try(background, "no.Service", "Nope", ""))
	print(try(ttrpc.WithMetadata(background, ttrpc.MD{"key": {"a", "b"}}), service, "Metadata", "key"))
	// The server's word on the deadline: this side would wait a second longer.
	short, cancel := context.WithTimeout(background, 100*time.Millisecond)
	print(try(short, service, "Slow", ""))
	cancel()

	// A thousand calls at once, each with its own answer.
	var wait sync.WaitGroup
	var mu sync.Mutex
	right := 0
	for i := 0; i < 1000; i++ {
		wait.Add(1)
		go func(text string) {
			defer wait.Done()
			if o := try(background, service, "Unary", text); o.Text == text {
				mu.Lock()
				right++
				mu.Unlock()
			}
		}(fmt.Sprintf("call %d", i))
	}
	wait.Wait()
	print(outcome{Text: fmt.Sprintf("%d right", right)})
	return nil
}
